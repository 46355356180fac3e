# SPDX-License-Identifier: Apache-2.0

# The secret Kontox-secret, whose keys become files, and the role of who may
# read it.
#
# No value stands in a file that is committed, in a plan, or in the state: the
# variable is ephemeral, and secret_string_wo is written and never kept
# (Terraform or OpenTofu 1.11). secret_string would stay in the state for
# whoever can read that. Since nothing of the value is kept, nothing tells that
# it has changed: revision does.
#
#     TF_VAR_keys='{"username":"shop","password":"..."}' terraform apply

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "keys" {
  description = "Keys of the secret and their values: each key becomes a file."
  type        = map(string)
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.keys) > 0
    error_message = "keys: the secret needs one key at least."
  }
}

variable "revision" {
  description = "To be counted up when a value has changed."
  type        = number
  default     = 1
}

variable "oidc_provider_arn" {
  description = "The cluster's OIDC provider in IAM."
  type        = string
}

resource "aws_secretsmanager_secret" "kontox" {
  name        = "Kontox-secret"
  description = "Read by secretsfs"
}

resource "aws_secretsmanager_secret_version" "kontox" {
  secret_id                = aws_secretsmanager_secret.kontox.id
  secret_string_wo         = jsonencode(var.keys)
  secret_string_wo_version = var.revision
}

module "secretsfs" {
  source = "../.."

  # By its ARN: no other secret can have it, also after this one is gone.
  secrets            = [aws_secretsmanager_secret.kontox.arn]
  oidc_provider_arns = [var.oidc_provider_arn]
}

output "service_account_annotations" {
  description = "For the service account secretsfs/secretsfs-worker."
  value       = module.secretsfs.service_account_annotations
}
