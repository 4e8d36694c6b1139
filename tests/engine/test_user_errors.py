from __future__ import annotations

import inspect
import re

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

import state.errors
from provisioner import errors
from provisioner.bucket.calls import call_with_retries
from provisioner.engine.calls.clock import Stopped
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, default_if_unsupported
from provisioner.engine.calls.user_errors import describe_refusal, user_error
from provisioner.engine.execution.outcome import Outcome
from provisioner.errors import CredentialsError, Incomplete, Interrupted, RolledBack, WaitTimeout
from state.errors import ProvisionerError, StateError

TREE = dict(re.findall(r"(\w+) \.+ (\d+)", errors.__doc__ or ""))
CLASSES = {
    name: error
    for module in (errors, state.errors)
    for name, error in inspect.getmembers(module, inspect.isclass)
    if issubclass(error, ProvisionerError)
}


def answered(code: str, status: int = 400, message: str = "words", operation: str = "DoThing") -> ClientError:
    meta = {"HTTPStatusCode": status, "RequestId": "r-1", "HTTPHeaders": {}, "RetryAttempts": 0}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": meta}, operation)


def test_a_refusal_that_a_kind_knows_a_way_past_says_it() -> None:
    ways = {"CNAMEAlreadyExists": "Take the name from that distribution."}

    known, other = (user_error(answered(code), "doing", ways) for code in ("CNAMEAlreadyExists", "Other"))

    assert known
    assert known.hint == "Take the name from that distribution."
    assert other
    assert other.hint.startswith("Mend that")


def test_the_drawn_tree_is_the_tree() -> None:
    assert TREE.keys() == CLASSES.keys()


@pytest.mark.parametrize("name", CLASSES)
def test_an_error_ends_with_the_code_that_is_drawn(name: str) -> None:
    error = CLASSES[name]("what happened", "what to type")

    assert error.exit_code == int(TREE[name])
    assert (error.message, error.hint, str(error)) == ("what happened", "what to type", "what happened")


def test_every_code_but_the_general_one_says_one_thing() -> None:
    # What is drawn under another than the root is a case of that, and ends as it does.
    own = {name for name, one in CLASSES.items() if one.__base__ is ProvisionerError}
    codes = [int(code) for name, code in TREE.items() if name in own and code != "1"]

    assert len(codes) == len(set(codes))
    assert 0 not in codes
    assert 2 not in codes


def test_every_class_has_a_result_of_its_own() -> None:
    assert len({one.result for one in CLASSES.values()}) == len(CLASSES)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (answered("Throttling"), ErrorCategory.THROTTLED),
        (answered("RequestLimitExceeded", 503), ErrorCategory.THROTTLED),
        (answered("SlowDown", 503), ErrorCategory.THROTTLED),
        (answered("SomethingElse", message="Rate exceeded"), ErrorCategory.THROTTLED),
        (answered("LimitExceededException"), ErrorCategory.REFUSED),
        (answered("VpcLimitExceeded"), ErrorCategory.REFUSED),
        (answered("ExpiredToken"), ErrorCategory.EXPIRED),
        (answered("InvalidClientTokenId", 403), ErrorCategory.EXPIRED),
        (answered("RequestTimeTooSkewed", 403), ErrorCategory.EXPIRED),
        (answered("InvalidSignatureException"), ErrorCategory.EXPIRED),
        (answered("AccessDenied", 403), ErrorCategory.DENIED),
        (answered("UnauthorizedOperation", 403), ErrorCategory.DENIED),
        (answered("InternalError", 500), ErrorCategory.LOST),
        (answered("ServiceUnavailable", 503), ErrorCategory.LOST),
        (answered("NotImplemented", 501), ErrorCategory.REFUSED),
        (answered("InvalidParameterValue"), ErrorCategory.REFUSED),
        (NoCredentialsError(), ErrorCategory.EXPIRED),
        (EndpointConnectionError(endpoint_url="x"), ErrorCategory.UNSENT),
        (ReadTimeoutError(endpoint_url="x"), ErrorCategory.LOST),
        (ValueError("a fault of our own"), None),
    ],
)
def test_what_an_error_of_a_call_means(error: Exception, fault: ErrorCategory | None) -> None:
    assert categorize(error) is fault


@pytest.mark.parametrize(
    ("message", "right"),
    [
        ("User: me is not authorized to perform: ec2:CreateVpc on resource: *", "the right ec2:CreateVpc,"),
        ("You are not authorized to perform: iam:PassRole on resource: role", "the right iam:PassRole,"),
        ("Access Denied", "the right to call DoThing,"),
    ],
)
def test_the_missing_right_is_named_as_a_policy_names_it(message: str, right: str) -> None:
    error = user_error(answered("AccessDenied", 403, message), "create it")

    assert error
    assert right in error.hint


def test_a_failure_says_what_was_done_what_aws_answered_and_what_to_type() -> None:
    error = user_error(answered("InvalidParameterValue"), "create ml-api-alb-prod")

    assert error
    for part in ("create ml-api-alb-prod", "DoThing", "InvalidParameterValue", "words", "r-1"):
        assert part in error.message
    assert "run the same command again" in error.hint


def test_a_denial_names_the_right_that_is_missing() -> None:
    error = user_error(answered("AccessDenied", 403, operation="CreateVpc"), "create vpc")

    assert error
    assert "CreateVpc" in error.hint


@pytest.mark.parametrize("error", [answered("ExpiredToken"), NoCredentialsError()])
def test_credentials_that_end_in_mid_run_are_told_as_such(error: Exception) -> None:
    assert isinstance(user_error(error, "create vpc"), CredentialsError)


def test_a_stop_is_no_failure() -> None:
    error = user_error(Stopped(), "create vpc")

    assert isinstance(error, Interrupted)
    assert error.exit_code == 130


def test_a_fault_of_our_own_is_not_explained_away() -> None:
    assert user_error(ValueError("bug"), "create vpc") is None


def outcome(**failed: ProvisionerError) -> ProvisionerError:
    error = Outcome("apply", done=["vpc"], failed=failed, undone=["alb", "edge"]).error()
    assert error
    return error


def test_all_done_is_no_error() -> None:
    assert Outcome("apply", done=["vpc"]).error() is None


def test_an_incomplete_run_says_what_failed_and_what_was_not_touched() -> None:
    error = outcome(nat=ProvisionerError("no address left", "ask for more"))

    assert isinstance(error, Incomplete)
    for part in ("1 failed, 1 done, 2 not touched", "nat: no address left", "Not touched: alb, edge"):
        assert part in error.message
    assert "ask for more" in error.hint


@pytest.mark.parametrize("loud", [StateError, CredentialsError, RolledBack, WaitTimeout])
def test_the_loudest_failure_gives_the_exit_code(loud: type[ProvisionerError]) -> None:
    assert type(outcome(a=ProvisionerError("x"), b=loud("y"), c=ProvisionerError("z"))) is loud


@pytest.mark.parametrize("code", [130, 143])
def test_a_signal_gives_its_own_code_whatever_else_failed(code: int) -> None:
    ended = Outcome("apply", failed={"a": StateError("x")}, interrupted=code).error()

    assert isinstance(ended, Interrupted)
    assert ended.exit_code == code
    assert "Run the same command again" in ended.hint


def test_what_failed_before_a_signal_is_not_under_way() -> None:
    failed = {"a": Interrupted("a: stopped"), "edge": ProvisionerError("edge is held")}

    ended = Outcome("teardown", done=["b"], failed=failed, undone=["c"], interrupted=130).error()

    assert ended
    assert "1 done, 1 under way (a), 1 failed, 1 not begun." in ended.message
    assert "edge: edge is held" in ended.message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        ("SignatureDoesNotMatch", "Signature expired: 20261123T000000Z is now earlier than 20261123T010000Z"),
        ("InvalidSignatureException", "Signature not yet current: 20261123T010000Z is still later than"),
    ],
)
def test_a_wrong_clock_is_told_as_one(code: str, message: str) -> None:
    known = user_error(answered(code, 403, message), "asking")

    assert isinstance(known, CredentialsError)
    assert "clock" in known.hint


def test_what_an_emulator_does_not_know_has_another_answer_and_a_refusal_has_none() -> None:
    def refuse(code: str, status: int) -> str:
        raise answered(code, status)

    assert default_if_unsupported(lambda: "told", "none") == "told"
    assert default_if_unsupported(lambda: refuse("UnknownOperationException", 400), "none") == "none"
    assert default_if_unsupported(lambda: refuse("InternalFailure", 501), "none") == "none"
    for code, status in (("AccessDenied", 403), ("404", 404), ("500", 500)):
        with pytest.raises(ClientError):
            default_if_unsupported(lambda code=code, status=status: refuse(code, status), "none")  # type: ignore[misc]


def test_an_answer_may_be_done_without_but_not_a_signal_credentials_or_a_fault_of_ours() -> None:
    denied = answered("AccessDenied", 403)
    assert "looking: " in describe_refusal(denied, "looking").message

    ends: list[tuple[Exception, type[Exception]]] = [
        (answered("ExpiredToken"), CredentialsError),
        (Stopped(), Interrupted),
        (ValueError("ours"), ValueError),
    ]
    for error, raised in ends:
        with pytest.raises(raised):
            describe_refusal(error, "looking")


@pytest.mark.parametrize(
    ("call", "rights"),
    [("PutObject", "s3:PutObject, and s3:ListBucket:"), ("ListObjectsV2", "s3:ListBucket:")],
)
def test_a_right_that_the_state_lacks_is_named_as_iam_names_it(call: str, rights: str) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, call)

    with pytest.raises(StateError) as caught:
        call_with_retries(refuse, "looking")

    assert f"Give these credentials the right {rights}" in caught.value.hint
