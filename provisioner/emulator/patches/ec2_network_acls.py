"""Network ACLs: new ones deny all traffic, unknown entries are refused, deleted subnets leave their ACL."""

from __future__ import annotations

from provisioner.emulator.answers import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import Call

# The rule that the console shows as "*": botocore ServiceModel, CreateNetworkAclEntry, RuleNumber.
LAST = 32767


@always.after("ec2", "CreateNetworkAcl")
def deny_all(call: Call, reply: Reply) -> None:
    """Give a new ACL the rules that deny all traffic no other rule allows.

    Source: VPC user guide, custom network ACLs.
    """
    acl = reply["NetworkAcl"]["NetworkAclId"]
    rule = {"Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0", "RuleNumber": LAST}
    for egress in (True, False):
        ask_moto(call, "ec2", "CreateNetworkAclEntry", NetworkAclId=acl, Egress=egress, **rule)


@always.before("ec2", "DeleteNetworkAclEntry")
def delete_entry(call: Call) -> None:
    """Refuse to delete an entry that does not exist; moto crashes on it (EC2 API reference, error codes)."""
    asked = (call.params["Egress"], call.params["RuleNumber"])
    acl = backend("ec2", call.account, call.region).network_acls.get(call.params["NetworkAclId"])
    if acl is not None and asked not in {(one.egress, one.rule_number) for one in acl.network_acl_entries}:
        message = f"The specified rule {asked[1]} does not exist in the network ACL {acl.id}"
        raise AwsError("InvalidNetworkAclEntry.NotFound", message)


@always.after("ec2", "DeleteSubnet")
def leave_acl(call: Call, _reply: Reply) -> None:
    """Remove a deleted subnet from its ACL.

    Moto would keep the association in its replies, and then never delete the ACL.
    """
    for acl in backend("ec2", call.account, call.region).network_acls.values():
        gone = [id_ for id_, one in acl._associations.items() if one.subnet_id == call.params["SubnetId"]]
        for id_ in gone:
            del acl._associations[id_]
