"""AWS calls and responses on the wire, parsed and serialized by moto and botocore."""

from __future__ import annotations

import functools
import io
import json
import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode
from uuid import uuid4
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from provisioner.emulator.errors import AwsError, Reply

Environ = dict[str, Any]

CLIENT_ERROR = 400
ACCOUNT = "123456789012"
SCOPE = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=[^/,\s]+/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
)
# Source: botocore ServiceModel, metadata.signingName where it is not the service's name.
SIGNED_AS = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "pricingplanmanager": "pricing-plan-manager",
    "servicequotas": "service-quotas",
}
READS = (
    "Assume", "BatchGet", "Check", "Decode", "Describe", "Estimate", "Filter", "Get", "Head", "List",
    "Lookup", "Preview", "Query", "Scan", "Search", "Select", "Simulate",
)  # fmt: skip


@dataclass
class Response:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class AccountRegion:
    """An account and a region."""

    account: str
    region: str


@dataclass
class Call:
    """One AWS call.

    `model` is botocore's model of the operation, and `params` has its parameters as botocore names them. Both
    are empty if the operation is not known; `params` is also empty if the request could not be parsed.
    """

    service: str
    operation: str
    params: dict[str, Any]
    region: str
    account: str
    environ: Environ
    body: bytes
    protocol: str
    model: Any = None

    @property
    def mutating(self) -> bool:
        """Whether the call changes something; an EC2 dry run does not."""
        return bool(self.operation) and not (self.operation.startswith(READS) or self.params.get("DryRun") is True)

    @property
    def place(self) -> AccountRegion:
        """The account and region of the call."""
        return AccountRegion(self.account, self.region)

    def rewound(self) -> Environ:
        """Return the WSGI environment with its body unread."""
        return {**self.environ, "wsgi.input": io.BytesIO(self.body)}


def parse_call(environ: Environ) -> Call:
    """Parse a request into a call; without a signature or a known operation, the call has no model."""
    body = environ["wsgi.input"].read()
    scope = SCOPE.match(environ.get("HTTP_AUTHORIZATION", ""))
    signed, region = (scope["service"].lower(), scope["region"]) if scope else ("", "us-east-1")
    service = "elb" if _is_classic(signed, body) else SIGNED_AS.get(signed, signed)
    call = Call(service, "", {}, region, ACCOUNT, environ, body, "query")
    if scope and _is_known_service(service):
        _identify(call)
    return call


def compose_call(service: str, operation: str, region: str, **params: Any) -> Call:
    """Serialize a call as botocore does, so that the emulator itself can send it to moto."""
    model = get_service_model(service)
    protocol = next(p for p in model.metadata.get("protocols", [model.protocol]) if p in PROTOCOL_PARSERS)
    request = create_serializer(protocol).serialize_to_request(params, model.operation_model(operation))
    body = request["body"]
    body = urlencode(body).encode() if isinstance(body, dict) else body
    path, _, fixed = request["url_path"].partition("?")
    query = "&".join(filter(None, [fixed, urlencode(request["query_string"])]))
    signing_name = model.metadata.get("signingName", model.metadata["endpointPrefix"])
    scope = f"Credential=AKIAEMBEDDED/20260101/{region}/{signing_name}/aws4_request"
    environ = {
        "REQUEST_METHOD": request["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "latin-1"),
        "RAW_URI": f"{path}?{query}" if query else path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {scope}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
    }
    for name, value in request["headers"].items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return parse_call(environ)


def _is_classic(signed: str, body: bytes) -> bool:
    """Return whether a request is for Classic Load Balancers: only its API version differs from elbv2's."""
    return signed == "elasticloadbalancing" and b"Version=2012-06-01" in body


@functools.cache
def _is_known_service(service: str) -> bool:
    """Return whether botocore knows a service."""
    try:
        get_service_model(service)
    except UnknownServiceError:
        return False
    return True


def _identify(call: Call) -> None:
    """Set the protocol, operation and parameters of a call from its request."""
    request = Request(call.rewound())
    try:
        call.protocol = determine_request_protocol(get_service_model(call.service), request.content_type)
        call.model, url_params = get_service_router(call.service).match(request)
    except (NotFound, NotImplementedError):
        return
    call.operation = call.model.name
    # Host and path are read first: reading the form empties the stream of the body.
    parts = {"method": request.method, "url_path": request.path, "url_params": url_params}
    parts |= {"values": request.values, "headers": request.headers, "body": call.body}
    try:
        call.params = PROTOCOL_PARSERS[call.protocol](call.model).parse(parts)
    except (RequestParserError, ValueError, TypeError, AttributeError):
        call.params = {}  # malformed: moto answers with the error


def parse_reply(call: Call, answer: Response) -> Reply:
    """Parse a response into a reply, as botocore does."""
    raw = {"body": answer.body, "headers": answer.headers, "status_code": answer.status}
    reply: Reply = create_parser(call.protocol).parse(raw, call.model.output_shape)
    reply.pop("ResponseMetadata", None)
    return reply


def serialize_reply(call: Call, reply: Reply) -> Response:
    """Serialize a reply in the call's protocol."""
    serializer = get_serializer_class(call.service, call.protocol)
    raw = serializer(call.model).serialize(reply)
    body = raw["body"]
    return Response(raw["status_code"], dict(raw["headers"]), body.encode() if isinstance(body, str) else body)


def serialize_error(call: Call, error: AwsError) -> Response:
    """Serialize an error in the call's protocol."""
    request = str(uuid4())
    if call.protocol in ("json", "rest-json"):
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": error.code}
        if call.service == "cloudwatch":  # botocore ServiceModel: awsQueryCompatible
            headers["x-amzn-query-error"] = f"{error.code};Sender"
        body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
    else:
        headers = {"Content-Type": "text/xml"}
        fault = "Sender" if error.status < 500 else "Receiver"  # noqa: PLR2004  # HTTP
        error_xml = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        body = _envelope(call).format(error=error_xml, fault=fault, request=request)
    return Response(error.status, {**headers, "x-amzn-RequestId": request}, body.encode())


def _envelope(call: Call) -> str:
    """Return the XML template for an error: EC2 and S3 have their own, all other services share one."""
    if call.protocol == "ec2":
        return "<Response><Errors><Error>{error}</Error></Errors><RequestID>{request}</RequestID></Response>"
    if call.service == "s3":
        return "<Error>{error}<RequestId>{request}</RequestId></Error>"
    return "<ErrorResponse><Error><Type>{fault}</Type>{error}</Error><RequestId>{request}</RequestId></ErrorResponse>"


def missing_code(call: Call) -> str:
    """Return the error code for an operation that is not implemented, depending on the protocol."""
    return "UnknownOperationException" if call.protocol in ("json", "rest-json") else "NotImplemented"


def error_code(answer: Response) -> str:
    """Return the error code of an error response, or its HTTP status if it has none."""
    match = re.search(rb"<Code>([^<]*)</Code>", answer.body) or re.search(
        rb'"__type"\s*:\s*"(?:[^"#]*#)?([^"]*)"', answer.body
    )
    return match[1].decode() if match else str(answer.status)


def error_message(answer: Response) -> str:
    """Return the message of an error response, or ""."""
    match = re.search(rb"<Message>(.*?)</Message>", answer.body, re.DOTALL) or re.search(
        rb'"[mM]essage"\s*:\s*"((?:[^"\\]|\\.)*)"', answer.body
    )
    return unescape(match[1].decode()) if match else ""
