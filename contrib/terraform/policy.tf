# SPDX-License-Identifier: Apache-2.0

# What secretsfs calls, on what it was told to read, and nothing else. A
# statement whose list of resources is empty is left out.

locals {
  # AWS ends the ARN of a secret in a hyphen and six characters of its own.
  secret_arns = distinct(flatten([
    for secret in var.secrets : startswith(secret, "arn:") ? [secret] : [
      for region in local.regions :
      "arn:${local.partition}:secretsmanager:${region}:${local.account}:secret:${secret}${endswith(secret, "/*") ? "" : "-??????"}"
    ]
  ]))

  # The slash that a path begins with is the one behind "parameter".
  parameter_arns = distinct(flatten([
    for parameter in var.parameters : startswith(parameter, "arn:") ? [parameter] : [
      for region in local.regions :
      "arn:${local.partition}:ssm:${region}:${local.account}:parameter/${trimprefix(parameter, "/")}"
    ]
  ]))

  # Keys are for these services only, each in the regions of what it reads.
  # Where a partition has names of its own in DNS, KMS may know a service by
  # either; each means that service alone.
  decrypting = distinct([
    for arn in concat(local.secret_arns, local.parameter_arns) :
    "${split(":", arn)[2]}.${split(":", arn)[3]}"
  ])
  decrypting_services = distinct(flatten([
    for service in local.decrypting : [
      for suffix in ["amazonaws.com", local.dns_suffix] : "${service}.${suffix}"
    ]
  ]))

  statements = [
    for statement in [
      {
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = concat(["secretsmanager:GetSecretValue"], var.describe ? ["secretsmanager:DescribeSecret"] : [])
        Resource = local.secret_arns
      },
      {
        # This action knows no resources. It gives nothing away: of each secret
        # in a batch AWS asks for GetSecretValue, too.
        Sid      = "ReadSecretsInBatches"
        Effect   = "Allow"
        Action   = ["secretsmanager:BatchGetSecretValue"]
        Resource = var.batch && length(local.secret_arns) > 0 ? ["*"] : []
      },
      {
        Sid      = "ReadParameters"
        Effect   = "Allow"
        Action   = ["ssm:GetParameters"]
        Resource = local.parameter_arns
      },
      {
        Sid      = "DecryptForTheseServices"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = distinct(var.kms_key_arns)
        Condition = {
          StringEquals = {
            "kms:ViaService" = local.decrypting_services
          }
        }
      },
      {
        # The tags that Pod Identity gives a session go along to the next role.
        Sid      = "AssumeRolesOfClasses"
        Effect   = "Allow"
        Action   = concat(["sts:AssumeRole"], length(var.pod_identity_clusters) > 0 ? ["sts:TagSession"] : [])
        Resource = distinct(var.assume_role_arns)
      },
    ] : statement if length(statement.Resource) > 0
  ]

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.statements
  })
}
