"""The settings of a custom domain: its names, its hosted zone, its certificates."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from provisioner.errors import quoted
from provisioner.settings.section import Incompatible, Section, unit

# RFC 1035, 2.3.4, in the form in which ACM and Route 53 return names.
_NAME_PATTERN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$"
# The first name becomes the certificate's common name: 64 characters (ACM API reference, RequestCertificate).
_MAX_COMMON_NAME = 64
# By default a certificate may have 10 names (ACM user guide, quotas); one of them is the name of the origin.
_MAX_NAMES = 9

DomainName = Annotated[str, Field(pattern=_NAME_PATTERN, max_length=253)]


def _check_edge_region(arn: str | None) -> str | None:
    """Return the ARN of a certificate; raise ValueError if it is not in us-east-1, as CloudFront requires."""
    if arn and arn.split(":")[3] != "us-east-1":
        raise ValueError(f"{quoted(arn)} is not in us-east-1, where CloudFront takes its certificates from")
    return arn


CertificateArn = Annotated[str, Field(pattern=r"^arn:aws:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9_-]+$")]


class Domain(Section):
    """The settings of a custom domain: HTTPS from viewer to load balancer under the user's own names."""

    names: tuple[DomainName, ...] = Field(
        (),
        max_length=_MAX_NAMES,
        examples=[["api.example.com"]],
        description="the names under which CloudFront serves; the first is the stack's URL",
    )
    hosted_zone_id: str | None = Field(
        None,
        pattern=r"^[A-Z0-9]{1,32}$",
        examples=["Z0123456789ABCDEFGHIJ"],
        description="the public zone in Route 53 where the records are made; without it, you make them",
    )
    certificate_arn: Annotated[CertificateArn | None, AfterValidator(_check_edge_region)] = Field(
        None,
        examples=["arn:aws:acm:us-east-1:111122223333:certificate/aaaa"],
        description="CloudFront's certificate, of us-east-1; without it, one is requested",
    )
    balancer_certificate_arn: CertificateArn | None = Field(
        None,
        examples=["arn:aws:acm:eu-west-1:111122223333:certificate/bbbb"],
        description="the load balancer's certificate, of the stack's region; without it, one is requested",
    )
    origin_name: DomainName | None = Field(
        None,
        examples=["origin.api.example.com"],
        description="the name under which CloudFront calls the load balancer; `origin.` and the first name",
    )
    tls: Literal["TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"] = Field(
        "TLSv1.2_2021", description="the oldest TLS and ciphers that viewers may use"
    )
    wait: int = Field(
        30,
        ge=0,
        le=72 * 60,
        description="how long to wait for the records that you make yourself",
        json_schema_extra=unit("minutes"),
    )

    @property
    def origin(self) -> str:
        """The DNS name under which CloudFront calls the load balancer; "" if no custom domain is set."""
        return self.origin_name or (f"origin.{self.names[0]}" if self.names else "")

    @model_validator(mode="after")
    def _check_names(self) -> Domain:
        """Raise Incompatible if the names clash, or if the first is too long for a certificate to request."""
        if len(set(self.names)) != len(self.names):
            repeated = next(name for name in self.names if self.names.count(name) > 1)
            raise Incompatible(f"names has {repeated} twice", "Name it once in `domain.names`.")
        if not self.names:
            return self
        if self.origin in self.names:
            raise Incompatible(
                f"{self.origin} is the load balancer's name, and cannot be one of names too",
                f"Set `domain.origin_name` to another name, or take {self.origin} out of `domain.names`.",
            )
        if len(self.names[0]) > _MAX_COMMON_NAME and not (self.certificate_arn and self.balancer_certificate_arn):
            raise Incompatible(
                f"{self.names[0]} has {len(self.names[0])} characters; {_MAX_COMMON_NAME} is the most for the "
                "first name of a certificate",
                "Put a shorter name first in `domain.names`, or set both `domain.certificate_arn` and "
                "`domain.balancer_certificate_arn`.",
            )
        return self
