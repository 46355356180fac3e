# SPDX-License-Identifier: Apache-2.0

output "policy_arn" {
  description = "ARN of the policy, to attach it to a role that is there already."
  value       = aws_iam_policy.this.arn
}

output "policy_json" {
  description = "The policy itself."
  value       = local.policy
}

output "role_arn" {
  description = "ARN of the role; null where no cluster was named."
  value       = one(aws_iam_role.this[*].arn)
}

output "role_name" {
  description = "Name of the role; null where no cluster was named."
  value       = one(aws_iam_role.this[*].name)
}

output "service_account_annotations" {
  description = "Annotations that the workers' service account needs: one for IRSA, none for Pod Identity."
  value = length(var.oidc_provider_arns) == 0 ? {} : {
    "eks.amazonaws.com/role-arn" = aws_iam_role.this[0].arn
  }
}

output "pod_identity_associations" {
  description = "Ids of the Pod Identity associations, by the name of the cluster."
  value       = { for cluster, association in aws_eks_pod_identity_association.this : cluster => association.association_id }
}
