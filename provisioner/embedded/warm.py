"""One harmless call to each service the stack uses, so that no later call pays moto's lazy imports."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from provisioner.embedded.box import Box
    from provisioner.embedded.wire import Environ

FORMS = [
    ("ec2", "2016-11-15", "DescribeVpcs"),
    ("elasticloadbalancing", "2015-12-01", "DescribeLoadBalancers"),
    ("rds", "2014-10-31", "DescribeDBClusters"),
    ("iam", "2010-05-08", "ListRoles"),
    ("sts", "2011-06-15", "GetCallerIdentity"),
    ("sns", "2010-03-31", "ListTopics"),
]
TARGETS = [
    ("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters"),
    ("dynamodb", "DynamoDB_20120810.ListTables"),
    ("logs", "Logs_20140328.DescribeLogGroups"),
    ("application-autoscaling", "AnyScaleFrontendService.DescribeScalableTargets"),
    ("secretsmanager", "secretsmanager.ListSecrets"),
    ("monitoring", "GraniteServiceVersion20100801.DescribeAlarms"),
    ("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources"),
    ("wafv2", "AWSWAF_20190729.ListWebACLs"),
    ("kms", "TrentService.ListKeys"),
    ("acm", "CertificateManager.ListCertificates"),
    ("servicequotas", "ServiceQuotasV20190624.ListServices"),
]
PATHS = [("cloudfront", "/2020-05-31/distribution"), ("s3", "/"), ("route53", "/2013-04-01/hostedzone")]


def warm(box: Box) -> None:
    """Let every service answer once; what it answers does not matter, and nothing of it stays."""
    for service, version, action in FORMS:
        body = urlencode({"Action": action, "Version": version}).encode()
        box(_request(service, "POST", "/", body, "application/x-www-form-urlencoded; charset=utf-8"))
    for service, target in TARGETS:
        body = b'{"scope": "CLOUDFRONT", "Scope": "CLOUDFRONT", "ServiceNamespace": "ecs"}'
        environ = _request(service, "POST", "/", body, "application/x-amz-json-1.1")
        box(environ | {"HTTP_X_AMZ_TARGET": target})
    for service, path in PATHS:
        box(_request(service, "GET", path, b"", ""))
    box.reset()


def _request(service: str, method: str, path: str, body: bytes, content_type: str) -> Environ:
    scope = f"Credential=AKIAWARM/20260101/us-east-1/{service}/aws4_request"
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
    }
