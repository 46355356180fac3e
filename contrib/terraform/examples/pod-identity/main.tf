# SPDX-License-Identifier: Apache-2.0

# Workers get their role by EKS Pod Identity: the service account needs nothing,
# the cluster the add-on eks-pod-identity-agent.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "cluster" {
  description = "Name of the EKS cluster, in the provider's region."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that the secrets below team/ are encrypted with."
  type        = string
}

module "secretsfs" {
  source = "../.."

  secrets               = ["Kontox-secret", "team/*"]
  parameters            = ["/team/database/*"]
  kms_key_arns          = [var.kms_key_arn]
  regions               = ["eu-central-1", "eu-west-1"] # region and failoverRegion
  pod_identity_clusters = [var.cluster]
}

output "role_arn" {
  description = "The role that the association names."
  value       = module.secretsfs.role_arn
}
