# SPDX-License-Identifier: Apache-2.0

# One policy, and one role, which workers get by IRSA, by Pod Identity, or by
# both while they move from one to the other. Where no cluster is named (a
# node's role, a user) the policy is all.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account    = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  dns_suffix = data.aws_partition.current.dns_suffix
  regions    = length(var.regions) > 0 ? var.regions : [data.aws_region.current.region]

  trust = concat(local.trust_irsa, local.trust_pod_identity)
}

resource "aws_iam_policy" "this" {
  name        = var.name
  path        = var.path
  description = "What secretsfs may read"
  policy      = local.policy
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(local.policy) <= 6144
      error_message = "The policy would have ${length(local.policy)} characters, and IAM takes 6144: name fewer secrets, with /* at the end."
    }
  }
}

resource "aws_iam_role" "this" {
  count = length(var.oidc_provider_arns) + length(var.pod_identity_clusters) > 0 ? 1 : 0

  name                 = var.name
  path                 = var.path
  description          = "secretsfs, as ${var.namespace}/${var.service_account}"
  max_session_duration = var.max_session_duration
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.trust
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  count = length(aws_iam_role.this)

  role       = aws_iam_role.this[0].name
  policy_arn = aws_iam_policy.this.arn
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = toset(var.pod_identity_clusters)

  cluster_name    = each.key
  namespace       = var.namespace
  service_account = var.service_account
  role_arn        = aws_iam_role.this[0].arn
  tags            = var.tags
}
