"""A new version takes a tenth of the calls first, and goes back when its errors alarm."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.blocks.acknowledge import acknowledge


class Canary(Construct):
    """A CodeDeploy deployment group over one alias, rolled back by that alias's errors."""

    def __init__(self, scope: Construct, construct_id: str, *, alias: lambda_.Alias) -> None:
        super().__init__(scope, construct_id)
        self.alarm = cloudwatch.Alarm(
            self,
            "Errors",
            metric=alias.metric_errors(period=Duration.minutes(1)),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description="canary-errors: see docs/operations/alarms/canary-errors.md",
        )
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            alias=alias,
            deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            alarms=[self.alarm],
        )
        acknowledge(
            group,
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AWSCodeDeployRoleForLambdaLimited]",
            "The policy that AWS keeps for CodeDeploy over Lambda, without the right to invoke.",
        )
