"""VPC endpoints: conflicts are refused, groups and DNS names are set as on AWS, and deleted ones are gone."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import Call

NOT_FOUND = "InvalidVpcEndpoint.NotFound"
_BY_ID = "vpc-endpoint-id"


def _endpoints(call: Call) -> dict[str, Any]:
    """Return moto's VPC endpoints by id."""
    endpoints: dict[str, Any] = backend("ec2", call.account, call.region).vpc_end_points
    return endpoints


@always.before("ec2", "CreateVpcEndpoint")
def create(call: Call) -> Reply | None:
    """Refuse an endpoint that conflicts with another, and give an interface endpoint AWS's defaults.

    The defaults are the VPC's default security group, and private DNS names turned on.
    """
    params = dict(call.params)  # a copy: an idempotency token stands for the call's own parameters
    if params.get("VpcEndpointType", "Gateway") == "Interface":
        _refuse_second_name(call)
        if not params.get("SecurityGroupIds"):
            ec2 = backend("ec2", call.account, call.region)
            default = ec2.get_default_security_group(params["VpcId"])
            params["SecurityGroupIds"] = [default.id]  # AWS doc, API_CreateVpcEndpoint
        return ask_moto(call, "ec2", "CreateVpcEndpoint", **{"PrivateDnsEnabled": True} | params)
    _refuse_second_route(call)
    return None


def _refuse_second_name(call: Call) -> None:
    """Refuse private DNS names that another endpoint in the VPC has.

    Source: hashicorp/terraform-provider-aws#17535.
    """
    params = call.params
    for endpoint in _endpoints(call).values():
        same = (endpoint.vpc_id, endpoint.service_name) == (params["VpcId"], params["ServiceName"])
        if same and endpoint.private_dns_enabled and params.get("PrivateDnsEnabled", True):
            message = (
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for"
                f" {params['ServiceName']} in the VPC {params['VpcId']}"
            )
            raise AwsError("InvalidParameter", message)


def _refuse_second_route(call: Call) -> None:
    """Refuse a gateway endpoint for a route table that has a route to the same service already."""
    tables = set(call.params.get("RouteTableIds", []))
    for endpoint in _endpoints(call).values():
        if endpoint.service_name == call.params["ServiceName"] and tables & set(endpoint.route_table_ids):
            table = min(tables & set(endpoint.route_table_ids))
            message = f"route table {table} already has a route with destination-prefix-list-id"
            raise AwsError("RouteAlreadyExists", message)


@always.after("ec2", "CreateVpcEndpoint")
def complete_created(call: Call, reply: Reply) -> None:
    """Put the endpoint's network interfaces into its security groups, and give the reply AWS's form."""
    ec2 = backend("ec2", call.account, call.region)
    endpoint = _endpoints(call)[reply["VpcEndpoint"]["VpcEndpointId"]]
    groups = [ec2.get_security_group_from_id(group) for group in endpoint.security_group_ids]
    for interface in endpoint.network_interface_ids:
        ec2.enis[interface]._group_set[:] = groups
    _complete_endpoint(call, reply["VpcEndpoint"])


@always.before("ec2", "DescribeVpcEndpoints")
def describe(call: Call) -> Reply | None:
    """Apply the filter by endpoint id, which moto does not know (EC2 API reference, DescribeVpcEndpoints)."""
    filters = call.params.get("Filters", [])
    ids = [set(each["Values"]) for each in filters if each["Name"] == _BY_ID]
    if not ids:
        return None
    request = call.params | {"Filters": [each for each in filters if each["Name"] != _BY_ID]}
    reply = ask_moto(call, "ec2", "DescribeVpcEndpoints", **request)
    endpoints = [
        each for each in reply["VpcEndpoints"] if all(each["VpcEndpointId"] in wanted_ids for wanted_ids in ids)
    ]
    return reply | {"VpcEndpoints": endpoints}


@always.after("ec2", "DescribeVpcEndpoints")
def complete_descriptions(call: Call, reply: Reply) -> None:
    """Give every endpoint in the reply AWS's form."""
    for endpoint in reply["VpcEndpoints"]:
        _complete_endpoint(call, endpoint)


def _complete_endpoint(call: Call, endpoint: dict[str, Any]) -> None:
    """Correct an endpoint's private DNS flag, and the DNS names of an interface endpoint."""
    if endpoint["VpcEndpointType"] == "Gateway":
        endpoint["PrivateDnsEnabled"] = False
        return
    *_, service = endpoint["ServiceName"].split(f".{call.region}.")
    own = f"{endpoint['VpcEndpointId']}.{service}.{call.region}.vpce.amazonaws.com"
    names = [{"DnsName": own, "HostedZoneId": endpoint["DnsEntries"][0]["HostedZoneId"]}]
    if endpoint["PrivateDnsEnabled"]:
        public = ".".join(reversed(service.split("."))) + f".{call.region}.amazonaws.com"
        names.append({"DnsName": public, "HostedZoneId": "ZONEIDPENDING"})
    endpoint["DnsEntries"] = names


@always.after("ec2", "ModifyVpcEndpoint")
def apply_changes(call: Call, _: Reply) -> None:
    """Apply changes of private DNS and route tables, which moto ignores, and of the interfaces' groups."""
    ec2 = backend("ec2", call.account, call.region)
    endpoint = _endpoints(call)[call.params["VpcEndpointId"]]
    _add_routes(ec2, endpoint, call.params.get("AddRouteTableIds", []), call.params.get("RemoveRouteTableIds", []))
    if "PrivateDnsEnabled" in call.params:
        endpoint.private_dns_enabled = call.params["PrivateDnsEnabled"]
    groups = [ec2.get_security_group_from_id(group) for group in endpoint.security_group_ids]
    for interface in endpoint.network_interface_ids:
        ec2.enis[interface]._group_set[:] = groups


def _add_routes(ec2: Any, endpoint: Any, joined: list[str], left: list[str]) -> None:
    """Add a gateway endpoint's route to the tables `joined`, and remove it from the tables `left`.

    Source: VPC guide, gateway endpoints.
    """
    leads_to = endpoint.destination_prefix_list_id
    for table in joined if leads_to else ():
        ec2.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=leads_to)
    for table in left if leads_to else ():
        ec2.delete_route(table, leads_to)


@always.after("ec2", "DeleteRouteTable")
def forget_table(call: Call, _: Reply) -> None:
    """Remove a deleted route table from its endpoints: moto would look for their routes in it."""
    for endpoint in _endpoints(call).values():
        remaining = [table_id for table_id in endpoint.route_table_ids if table_id != call.params["RouteTableId"]]
        endpoint.route_table_ids = remaining


@always.before("ec2", "DeleteVpcEndpoints")
def delete(call: Call) -> Reply | None:
    """Delete the endpoints that exist; list the others as unsuccessful, without an error.

    Source: botocore ServiceModel.
    """
    endpoint_ids = call.params["VpcEndpointIds"]
    existing = [name for name in endpoint_ids if name in _endpoints(call)]
    if existing:
        ask_moto(call, "ec2", "DeleteVpcEndpoints", VpcEndpointIds=existing)
    for name in existing:
        del _endpoints(call)[name]
    missing = [name for name in endpoint_ids if name not in existing]
    return {"Unsuccessful": [unsuccessful(name, NOT_FOUND, "does not exist") for name in missing]}


def unsuccessful(name: str, code: str, problem: str) -> dict[str, Any]:
    """Return the entry of the reply for one endpoint that could not be deleted."""
    error = {"Code": code, "Message": f"The Vpc Endpoint Id '{name}' {problem}"}
    return {"ResourceId": name, "Error": error}
