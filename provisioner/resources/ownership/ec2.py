"""Field ownership of the network."""

from __future__ import annotations

from provisioner.engine.types.field_owners import Default, FieldOwnership, ForeignFields

VPC = FieldOwnership(
    ("ec2 DescribeVpcs Vpcs",),
    born="CidrBlock InstanceTenancy",
    inside="CidrBlockAssociationSet.**",
    # The DHCP options set is the account's default one unless somebody chose another.
    account="BlockPublicAccessStates.** DhcpOptionsId EncryptionControl.**",
    aws="IsDefault OwnerId State VpcId",
    unowned="Ipv6CidrBlockAssociationSet.**",
)
VPC_DNS = FieldOwnership(
    ("ec2 DescribeVpcAttribute",),
    ours="EnableDnsHostnames.** EnableDnsSupport.**",
    aws="VpcId",
    unowned="EnableNetworkAddressUsageMetrics.**",
)
SUBNET = FieldOwnership(
    ("ec2 DescribeSubnets Subnets",),
    ours="MapPublicIpOnLaunch",
    # These decide whether new instances get an IPv6 address, and what DNS names resolve to.
    defaults=(Default("AssignIpv6AddressOnCreation", value=False), Default("EnableDns64", value=False)),
    born="AvailabilityZone AvailabilityZoneId CidrBlock Ipv6Native OutpostArn VpcId",
    account="BlockPublicAccessStates.**",
    aws="AvailableIpAddressCount DefaultForAz OwnerId State SubnetArn SubnetId Type",
    unowned="CustomerOwnedIpv4Pool EnableLniAtDeviceIndex Ipv6CidrBlockAssociationSet.**"
    " MapCustomerOwnedIpOnLaunch PrivateDnsNameOptionsOnLaunch.**",
)
INTERNET_GATEWAY = FieldOwnership(
    ("ec2 DescribeInternetGateways InternetGateways",),
    inside="Attachments.**",
    aws="InternetGatewayId OwnerId",
)
ATTACHMENT = FieldOwnership(("ec2 DescribeInternetGateways InternetGateways.Attachments",), ours="VpcId", aws="State")
ADDRESS = FieldOwnership(
    ("ec2 DescribeAddresses Addresses",),
    born="CustomerOwnedIp CustomerOwnedIpv4Pool Domain NetworkBorderGroup PublicIpv4Pool",
    aws="AllocationId AssociationId CarrierIp InstanceId NetworkInterfaceId NetworkInterfaceOwnerId"
    " PrivateIpAddress PublicIp ServiceManaged SubnetId",
)
NAT_GATEWAY = FieldOwnership(
    ("ec2 DescribeNatGateways NatGateways",),
    born="AutoProvisionZones AutoScalingIps AvailabilityMode ConnectivityType SubnetId VpcId",
    foreign=(ForeignFields("Network Firewall", "AttachedAppliances.**"),),
    aws="CreateTime DeleteTime FailureCode FailureMessage NatGatewayId ProvisionedBandwidth.** RouteTableId State",
    # Further addresses may be added: traffic still leaves by ours too.
    unowned="NatGatewayAddresses.**",
)
ROUTE_TABLE = FieldOwnership(
    ("ec2 DescribeRouteTables RouteTables",),
    born="VpcId",
    inside="Associations.** Routes.**",
    foreign=(ForeignFields("the VPN gateway whose routes are propagated", "PropagatingVgws.**"),),
    aws="OwnerId RouteTableId",
)
ROUTE = FieldOwnership(
    ("ec2 DescribeRouteTables RouteTables.Routes",),
    ours="CarrierGatewayId CoreNetworkArn DestinationCidrBlock DestinationIpv6CidrBlock"
    " DestinationPrefixListId EgressOnlyInternetGatewayId GatewayId InstanceId IpAddress"
    " LocalGatewayId NatGatewayId NetworkInterfaceId OdbNetworkArn TransitGatewayId"
    " VpcPeeringConnectionId",
    aws="InstanceOwnerId Origin State",
)
ASSOCIATION = FieldOwnership(
    ("ec2 DescribeRouteTables RouteTables.Associations",),
    ours="RouteTableId SubnetId",
    born="GatewayId Main PublicIpv4Pool",
    aws="AssociationState.** RouteTableAssociationId",
)
# The default endpoint policy, without its version (VPC user guide, "Default endpoint policy").
OPEN_ENDPOINT_POLICY = {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}
ENDPOINT = FieldOwnership(
    ("ec2 DescribeVpcEndpoints VpcEndpoints",),
    ours="RouteTableIds SubnetIds",
    defaults=(Default("PolicyDocument", OPEN_ENDPOINT_POLICY), Default("PrivateDnsEnabled", value=False)),
    renamed="Groups.**",
    born="ResourceConfigurationArn ServiceName ServiceNetworkArn ServiceRegion VpcEndpointType VpcId",
    aws="CreationTimestamp DnsEntries.** FailureReason Ipv4Prefixes.** Ipv6Prefixes.** LastError.**"
    " NetworkInterfaceIds OwnerId RequesterManaged State VpcEndpointId",
    unowned="DnsOptions.** IpAddressType PayerResponsibilities.**",
)
SECURITY_GROUP = FieldOwnership(
    ("ec2 DescribeSecurityGroups SecurityGroups",),
    born="Description GroupName VpcId",
    inside="IpPermissions.** IpPermissionsEgress.**",
    aws="GroupId OwnerId SecurityGroupArn",
)
SECURITY_GROUP_RULE = FieldOwnership(
    ("ec2 DescribeSecurityGroupRules SecurityGroupRules",),
    ours="CidrIpv4 CidrIpv6 Description FromPort GroupId IpProtocol PrefixListId ToPort",
    renamed="ReferencedGroupInfo.**",
    born="IsEgress",
    aws="GroupOwnerId SecurityGroupRuleArn SecurityGroupRuleId",
)
FLOW_LOG = FieldOwnership(
    ("ec2 DescribeFlowLogs FlowLogs",),
    born="DeliverCrossAccountRole DeliverLogsPermissionArn DestinationOptions.** LogDestination"
    " LogDestinationType LogFormat LogGroupName MaxAggregationInterval TagFieldSpecifications.**"
    " TrafficType",
    renamed="ResourceId",
    aws="CreationTime DeliverLogsErrorMessage DeliverLogsStatus FlowLogId FlowLogStatus",
)
