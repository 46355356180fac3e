# SPDX-License-Identifier: Apache-2.0

variable "name" {
  description = "Name of the policy and of the role."
  type        = string
  default     = "secretsfs"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.name))
    error_message = "name: 1 to 64 letters, digits and characters of _+=,.@- are what IAM takes."
  }
}

variable "path" {
  description = "Path of the policy and of the role in IAM."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]{1,510}/)?$", var.path))
    error_message = "path: it begins and ends with a slash, as in /secretsfs/."
  }
}

variable "tags" {
  description = "Tags of all that the module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "secrets" {
  description = "Secrets that may be read: names, or ARNs as AWS shows them, with the six characters at the end. One that ends in /* stands for all whose names begin so."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for secret in var.secrets :
      can(regex("^[A-Za-z0-9/_+=.@!-]+(/\\*)?$", secret)) ||
      can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(-[A-Za-z0-9]{6}|-\\?{6}|/\\*)$", secret))
    ])
    error_message = "secrets: each is the name of a secret, or an ARN that ends in AWS's six characters or in -??????. A * may only follow the last slash, so that no other secret is meant."
  }
}

variable "describe" {
  description = "Whether secrets may be described: unchanged ones are then confirmed without fetching their values."
  type        = bool
  default     = true
  nullable    = false
}

variable "batch" {
  description = "Whether secrets may be fetched 20 at a time. The action is allowed on * because AWS has no other way; each secret in a batch must be among secrets all the same."
  type        = bool
  default     = true
  nullable    = false
}

variable "parameters" {
  description = "Parameters of SSM that may be read: names or ARNs. One that ends in /* stands for all below it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for parameter in var.parameters :
      can(regex("^(arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter/)?[A-Za-z0-9/_.-]+(/\\*)?$", parameter))
    ])
    error_message = "parameters: each is the name or the ARN of a parameter, without version or label. A * may only follow the last slash, so that no other parameter is meant."
  }
}

variable "kms_key_arns" {
  description = "Keys of your own that secrets and parameters are encrypted with: ARNs of keys, not of aliases. AWS's own keys need nothing."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for key in var.kms_key_arns :
      can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", key))
    ])
    error_message = "kms_key_arns: each is the ARN of one key, as in arn:aws:kms:eu-central-1:111122223333:key/ID. Policies do not see aliases."
  }

  validation {
    condition     = length(var.kms_key_arns) == 0 || length(var.secrets) + length(var.parameters) > 0
    error_message = "kms_key_arns: without secrets or parameters there is nothing to decrypt."
  }
}

variable "assume_role_arns" {
  description = "Roles that classes name (assumeRoleArn) and that may be assumed."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for role in var.assume_role_arns :
      can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", role))
    ])
    error_message = "assume_role_arns: each is the ARN of one role, as in arn:aws:iam::111122223333:role/shop."
  }

  validation {
    condition     = length(var.secrets) + length(var.parameters) + length(var.assume_role_arns) > 0
    error_message = "secrets, parameters, assume_role_arns: at least one of them must name something."
  }
}

variable "regions" {
  description = "Regions in which names of secrets and parameters are looked for, such as a class's region and failoverRegion. Empty: the provider's region."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for region in var.regions : can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]+$", region))
    ])
    error_message = "regions: each is the name of a region, as in eu-central-1."
  }
}

variable "namespace" {
  description = "Namespace of the service account that may use the role."
  type        = string
  default     = "secretsfs"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace: one name as Kubernetes has it, not a pattern."
  }
}

variable "service_account" {
  description = "The service account that may use the role: that of the workers."
  type        = string
  default     = "secretsfs-worker"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", var.service_account))
    error_message = "service_account: one name as Kubernetes has it, not a pattern."
  }
}

variable "oidc_provider_arns" {
  description = "OIDC providers in IAM of the clusters whose service account may use the role (IRSA)."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for provider in var.oidc_provider_arns :
      can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[A-Za-z0-9._/-]+$", provider))
    ])
    error_message = "oidc_provider_arns: each is the ARN of a provider in IAM (arn:aws:iam::111122223333:oidc-provider/HOST/PATH), not the URL of its issuer."
  }
}

variable "oidc_audience" {
  description = "Audience of the tokens that the service account gets for IRSA."
  type        = string
  default     = "sts.amazonaws.com"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9.:/_-]+$", var.oidc_audience))
    error_message = "oidc_audience: one audience, not a pattern."
  }
}

variable "pod_identity_clusters" {
  description = "EKS clusters whose service account may use the role by EKS Pod Identity: their names, in the provider's region and account."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for cluster in var.pod_identity_clusters :
      can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", cluster))
    ])
    error_message = "pod_identity_clusters: each is the name of a cluster, not its ARN."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the role."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary: the ARN of a policy, as in arn:aws:iam::111122223333:policy/boundary."
  }
}

variable "max_session_duration" {
  description = "Seconds that keys of the role last at most."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200 && floor(var.max_session_duration) == var.max_session_duration
    error_message = "max_session_duration: 3600 to 43200 seconds are what IAM takes."
  }
}
