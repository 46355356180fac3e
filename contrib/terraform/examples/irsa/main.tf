# SPDX-License-Identifier: Apache-2.0

# Workers get their role by IRSA: the service account's annotation names it.

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
  description = "Name of the EKS cluster; IAM must know its OIDC provider."
  type        = string
}

data "aws_eks_cluster" "this" {
  name = var.cluster
}

data "aws_iam_openid_connect_provider" "this" {
  url = data.aws_eks_cluster.this.identity[0].oidc[0].issuer
}

module "secretsfs" {
  source = "../.."

  secrets            = ["Kontox-secret"]
  oidc_provider_arns = [data.aws_iam_openid_connect_provider.this.arn]
}

output "service_account_annotations" {
  description = "For the service account secretsfs/secretsfs-worker."
  value       = module.secretsfs.service_account_annotations
}
