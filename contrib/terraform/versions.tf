# SPDX-License-Identifier: Apache-2.0

terraform {
  # 1.9: a validation may look at other variables. OpenTofu 1.9 serves as well.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.0: aws_region has the attribute region.
      version = ">= 6.0"
    }
  }
}
