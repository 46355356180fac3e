# SPDX-License-Identifier: Apache-2.0

# IAM roles for service accounts: STS believes the token of this service account
# alone, and only one that was made for STS.

locals {
  trust_irsa = [
    for index, provider in var.oidc_provider_arns : {
      Sid    = "ServiceAccount${index}"
      Effect = "Allow"
      Principal = {
        Federated = provider
      }
      Action = ["sts:AssumeRoleWithWebIdentity"]
      Condition = {
        StringEquals = {
          "${split(":oidc-provider/", provider)[1]}:aud" = var.oidc_audience
          "${split(":oidc-provider/", provider)[1]}:sub" = "system:serviceaccount:${var.namespace}:${var.service_account}"
        }
      }
    }
  ]
}
