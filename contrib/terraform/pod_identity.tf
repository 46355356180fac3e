# SPDX-License-Identifier: Apache-2.0

# EKS Pod Identity: the service names cluster, namespace and service account in
# tags of the session. Without the conditions any association of the account
# could use the role.

locals {
  trust_pod_identity = length(var.pod_identity_clusters) == 0 ? [] : [
    {
      Sid    = "PodIdentity"
      Effect = "Allow"
      Principal = {
        Service = "pods.eks.amazonaws.com"
      }
      Action = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:RequestTag/eks-cluster-name"           = distinct(var.pod_identity_clusters)
          "aws:RequestTag/kubernetes-namespace"       = var.namespace
          "aws:RequestTag/kubernetes-service-account" = var.service_account
        }
      }
    },
  ]
}
