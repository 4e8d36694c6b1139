"""Field ownership of the network."""

from __future__ import annotations

from provisioner.engine.types.field_ownership import Default, FieldOwnership, ForeignFields

VPC = FieldOwnership(
    ("ec2 DescribeVpcs Vpcs",),
    create_only="CidrBlock InstanceTenancy",
    as_children="CidrBlockAssociationSet.**",
    # The DHCP options set is the account's default one unless somebody chose another.
    account="BlockPublicAccessStates.** DhcpOptionsId EncryptionControl.**",
    read_only="IsDefault OwnerId State VpcId",
    unowned="Ipv6CidrBlockAssociationSet.**",
)
VPC_DNS = FieldOwnership(
    ("ec2 DescribeVpcAttribute",),
    ours="EnableDnsHostnames.** EnableDnsSupport.**",
    read_only="VpcId",
    unowned="EnableNetworkAddressUsageMetrics.**",
)
SUBNET = FieldOwnership(
    ("ec2 DescribeSubnets Subnets",),
    ours="MapPublicIpOnLaunch",
    # These decide whether new instances get an IPv6 address, and what DNS names resolve to.
    defaults=(Default("AssignIpv6AddressOnCreation", value=False), Default("EnableDns64", value=False)),
    create_only="AvailabilityZone AvailabilityZoneId CidrBlock Ipv6Native OutpostArn VpcId",
    account="BlockPublicAccessStates.**",
    read_only="AvailableIpAddressCount DefaultForAz OwnerId State SubnetArn SubnetId Type",
    unowned="CustomerOwnedIpv4Pool EnableLniAtDeviceIndex Ipv6CidrBlockAssociationSet.**"
    " MapCustomerOwnedIpOnLaunch PrivateDnsNameOptionsOnLaunch.**",
)
INTERNET_GATEWAY = FieldOwnership(
    ("ec2 DescribeInternetGateways InternetGateways",),
    as_children="Attachments.**",
    read_only="InternetGatewayId OwnerId",
)
ATTACHMENT = FieldOwnership(
    ("ec2 DescribeInternetGateways InternetGateways.Attachments",), ours="VpcId", read_only="State"
)
ADDRESS = FieldOwnership(
    ("ec2 DescribeAddresses Addresses",),
    create_only="CustomerOwnedIp CustomerOwnedIpv4Pool Domain NetworkBorderGroup PublicIpv4Pool",
    read_only="AllocationId AssociationId CarrierIp InstanceId NetworkInterfaceId NetworkInterfaceOwnerId"
    " PrivateIpAddress PublicIp ServiceManaged SubnetId",
)
NAT_GATEWAY = FieldOwnership(
    ("ec2 DescribeNatGateways NatGateways",),
    create_only="AutoProvisionZones AutoScalingIps AvailabilityMode ConnectivityType SubnetId VpcId",
    foreign=(ForeignFields("Network Firewall", "AttachedAppliances.**"),),
    read_only=(
        "CreateTime DeleteTime FailureCode FailureMessage NatGatewayId ProvisionedBandwidth.** RouteTableId State"
    ),
    # Further addresses may be added: traffic still leaves by ours too.
    unowned="NatGatewayAddresses.**",
)
ROUTE_TABLE = FieldOwnership(
    ("ec2 DescribeRouteTables RouteTables",),
    create_only="VpcId",
    as_children="Associations.** Routes.**",
    foreign=(ForeignFields("the VPN gateway whose routes are propagated", "PropagatingVgws.**"),),
    read_only="OwnerId RouteTableId",
)
ROUTE = FieldOwnership(
    ("ec2 DescribeRouteTables RouteTables.Routes",),
    ours="CarrierGatewayId CoreNetworkArn DestinationCidrBlock DestinationIpv6CidrBlock"
    " DestinationPrefixListId EgressOnlyInternetGatewayId GatewayId InstanceId IpAddress"
    " LocalGatewayId NatGatewayId NetworkInterfaceId OdbNetworkArn TransitGatewayId"
    " VpcPeeringConnectionId",
    read_only="InstanceOwnerId Origin State",
)
ASSOCIATION = FieldOwnership(
    ("ec2 DescribeRouteTables RouteTables.Associations",),
    ours="RouteTableId SubnetId",
    create_only="GatewayId Main PublicIpv4Pool",
    read_only="AssociationState.** RouteTableAssociationId",
)
# The default endpoint policy, without its version (VPC user guide, "Default endpoint policy").
OPEN_ENDPOINT_POLICY = {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}
ENDPOINT = FieldOwnership(
    ("ec2 DescribeVpcEndpoints VpcEndpoints",),
    ours="RouteTableIds SubnetIds",
    defaults=(Default("PolicyDocument", OPEN_ENDPOINT_POLICY), Default("PrivateDnsEnabled", value=False)),
    renamed="Groups.**",
    create_only="ResourceConfigurationArn ServiceName ServiceNetworkArn ServiceRegion VpcEndpointType VpcId",
    read_only="CreationTimestamp DnsEntries.** FailureReason Ipv4Prefixes.** Ipv6Prefixes.** LastError.**"
    " NetworkInterfaceIds OwnerId RequesterManaged State VpcEndpointId",
    unowned="DnsOptions.** IpAddressType PayerResponsibilities.**",
)
SECURITY_GROUP = FieldOwnership(
    ("ec2 DescribeSecurityGroups SecurityGroups",),
    create_only="Description GroupName VpcId",
    as_children="IpPermissions.** IpPermissionsEgress.**",
    read_only="GroupId OwnerId SecurityGroupArn",
)
SECURITY_GROUP_RULE = FieldOwnership(
    ("ec2 DescribeSecurityGroupRules SecurityGroupRules",),
    ours="CidrIpv4 CidrIpv6 Description FromPort GroupId IpProtocol PrefixListId ToPort",
    renamed="ReferencedGroupInfo.**",
    create_only="IsEgress",
    read_only="GroupOwnerId SecurityGroupRuleArn SecurityGroupRuleId",
)
FLOW_LOG = FieldOwnership(
    ("ec2 DescribeFlowLogs FlowLogs",),
    create_only="DeliverCrossAccountRole DeliverLogsPermissionArn DestinationOptions.** LogDestination"
    " LogDestinationType LogFormat LogGroupName MaxAggregationInterval TagFieldSpecifications.**"
    " TrafficType",
    renamed="ResourceId",
    read_only="CreationTime DeliverLogsErrorMessage DeliverLogsStatus FlowLogId FlowLogStatus",
)
