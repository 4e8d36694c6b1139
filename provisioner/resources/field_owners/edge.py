"""Field ownership of the distribution, its VPC origin, the web ACL, certificates and DNS names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.engine.types.field_ownership import Default, FieldOwnership, ForeignFields

_BEHAVIOUR_KEYS = (
    "AllowedMethods.** CachePolicyId Compress FieldLevelEncryptionId ForwardedValues.**"
    " FunctionAssociations.** GrpcConfig.** LambdaFunctionAssociations.** OriginRequestPolicyId"
    " ResponseHeadersPolicyId SmoothStreaming TargetOriginId TrustedKeyGroups.** TrustedSigners.**"
    " ViewerProtocolPolicy"
)
_DEFAULT_BEHAVIOUR = " ".join(f"DefaultCacheBehavior.{key}" for key in _BEHAVIOUR_KEYS.split())
_TTLS = " ".join(f"DefaultCacheBehavior.{key}" for key in ("DefaultTTL", "MaxTTL", "MinTTL", "RealtimeLogConfigArn"))
_BEHAVIOUR_DEFAULTS = {
    "FieldLevelEncryptionId": "",
    "FunctionAssociations": {"Quantity": 0},
    "LambdaFunctionAssociations": {"Quantity": 0},
    "SmoothStreaming": False,
    "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
}
# CloudFront API reference, DistributionConfig; the Quantity beside each list follows from the list.
DISTRIBUTION = FieldOwnership(
    ("cloudfront GetDistribution Distribution.DistributionConfig", "cloudfront GetDistribution Distribution"),
    ours="Aliases.** AnycastIpListId CacheBehaviors.** Comment ConnectionFunctionAssociation.**"
    " ContinuousDeploymentPolicyId CustomErrorResponses.** DefaultRootObject Enabled HttpVersion"
    " IsIPV6Enabled OriginGroups.** Origins.** PriceClass Staging TenantConfig.** ViewerCertificate.**"
    f" ViewerMtlsConfig.** WebACLId DefaultCacheBehavior {_DEFAULT_BEHAVIOUR}",
    defaults=(
        # An update needs these even where they are empty (CloudFront API reference, UpdateDistribution).
        Default("DefaultRootObject", ""),
        Default("ContinuousDeploymentPolicyId", ""),
        *(Default(f"DefaultCacheBehavior.{key}", value) for key, value in _BEHAVIOUR_DEFAULTS.items()),
        Default("Origins.Items.OriginPath", ""),
        Default("Origins.Items.OriginAccessControlId", ""),
        Default("Origins.Items.OriginShield", {"Enabled": False}),
        Default("ConnectionMode", "direct"),
        Default("Restrictions", {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0, "Items": []}}),
    ),
    create_only="CallerReference",
    read_only="ActiveTrustedKeyGroups.** ActiveTrustedSigners.** AliasICPRecordals.** ARN"
    " DistributionConfig DomainName Id InProgressInvalidationBatches LastModifiedTime Status"
    " ViewerCertificate.Certificate ViewerCertificate.CertificateSource"
    " ViewerCertificate.CloudFrontDefaultCertificate ViewerCertificate.MinimumProtocolVersion"
    " ViewerCertificate.SSLSupportMethod",
    unowned=f"CacheTagConfig.** Logging.** {_TTLS} Origins.Items.ConnectionAttempts"
    " Origins.Items.ConnectionTimeout Origins.Items.CustomOriginConfig.IpAddressType"
    " Origins.Items.CustomOriginConfig.OriginKeepaliveTimeout"
    " Origins.Items.CustomOriginConfig.OriginReadTimeout Origins.Items.ResponseCompletionTimeout"
    " Origins.Items.S3OriginConfig.OriginReadTimeout"
    " Origins.Items.VpcOriginConfig.OriginKeepaliveTimeout"
    " Origins.Items.VpcOriginConfig.OriginReadTimeout Origins.Items.VpcOriginConfig.OwnerAccountId",
)
VPC_ORIGIN = FieldOwnership(
    ("cloudfront GetVpcOrigin VpcOrigin.VpcOriginEndpointConfig", "cloudfront GetVpcOrigin VpcOrigin"),
    # CloudFront does not change an origin that a distribution uses, and ours always is (UpdateVpcOrigin,
    # CannotUpdateEntityWhileInUse).
    create_only="Arn HTTPPort HTTPSPort IpAddressType Name OriginProtocolPolicy OriginSslProtocols.**",
    read_only="AccountId CreatedTime Id LastModifiedTime Status VpcOriginEndpointConfig",
)
CERTIFICATE = FieldOwnership(
    ("acm DescribeCertificate Certificate",),
    create_only="AcmeAccountId AcmeEndpointArn CertificateAuthorityArn CertificateKeyPairOrigin DomainName"
    " DomainValidationOptions.** KeyAlgorithm Options.** SubjectAlternativeNames Type",
    foreign=(ForeignFields("the service that manages it", "ManagedBy"),),
    read_only="CertificateArn CreatedAt ExtendedKeyUsages.** FailureReason ImportedAt InUseBy IssuedAt"
    " Issuer KeyUsages.** NotAfter NotBefore RenewalEligibility RenewalSummary.** RevocationReason"
    " RevokedAt Serial SignatureAlgorithm Status Subject UpdateSummary.**",
)
# Each record is compared as one line, its routing policy included.
DNS_NAME = FieldOwnership(("route53 ListResourceRecordSets ResourceRecordSets",), renamed="**")
# The priority of the rules that Shield Advanced adds and removes, after all others
# (hashicorp/terraform-provider-aws#22869, #31670).
_SHIELD_PRIORITY = 10_000_000


def is_shield_rule(rule: Mapping[str, Any]) -> bool:
    """Return whether Shield Advanced added a rule to a web ACL; its name does not prove that.

    Such a rule only refers to a rule group of Shield's own (AWS WAF developer guide,
    ddos-automatic-app-layer-response-rg), at a fixed priority.
    """
    statement = rule.get("Statement", {})
    group = statement.get("RuleGroupReferenceStatement", {}).get("ARN", "")
    is_shield_group = len(statement) == 1 and ":global/rulegroup/ShieldMitigationRuleGroup_" in group
    return is_shield_group and rule.get("Priority") == _SHIELD_PRIORITY


WEB_ACL = FieldOwnership(
    ("wafv2 GetWebACL WebACL",),
    # With this, WAF adds a script to every page, which changes the responses.
    ours="AssociationConfig.ChallengeJavascriptSdkInjection.** DefaultAction.** Description Name Rules.**"
    " VisibilityConfig.**",
    foreign=(
        ForeignFields("Shield Advanced", "Rules.ShieldMitigationRuleGroup_*", is_shield_rule),
        ForeignFields(
            "Firewall Manager",
            "ManagedByFirewallManager PostProcessFirewallManagerRuleGroups.**"
            " PreProcessFirewallManagerRuleGroups.** RetrofittedByFirewallManager",
        ),
    ),
    read_only="ARN Capacity Id LabelNamespace",
    unowned="ApplicationConfig.** AssociationConfig.** CaptchaConfig.** ChallengeConfig.**"
    " CustomResponseBodies.** DataProtectionConfig.** MonetizationConfig.**"
    " OnSourceDDoSProtectionConfig.** TokenDomains",
)
WEB_ACL_LOG = FieldOwnership(
    ("wafv2 GetLoggingConfiguration LoggingConfiguration",),
    ours="LogDestinationConfigs RedactedFields.** ResourceArn",
    foreign=(
        ForeignFields("Firewall Manager", "ManagedByFirewallManager"),
        ForeignFields("who asked for it", "LogScope"),
    ),
    create_only="LogType",
    unowned="LoggingFilter.**",
)
