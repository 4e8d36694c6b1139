"""Error messages about this machine's credentials: what is wrong, and what to type."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from json import JSONDecodeError
from typing import Any

from botocore import exceptions as raised
from botocore.exceptions import BotoCoreError, ClientError

from provisioner.aws.network import trust_hint
from provisioner.aws.profiles import Profile
from provisioner.errors import CredentialsError
from provisioner.extras import LOGIN, install_command

_RUN_AGAIN = "then run the same command again"
_FILES = "~/.aws/config or ~/.aws/credentials"
# botocore credentials.py, ContainerProvider.
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_LOCAL_NEEDS_NONE = "With --local none are needed."
# How the services say that a signature is too old or too new (AWS general reference, Signature Version 4
# troubleshooting; S3 error responses).
_WRONG_CLOCK = ("Signature expired", "Signature not yet current", "RequestTimeTooSkewed")
# EC2's code for expired keys, and for a clock that is 15 minutes wrong (EC2 API, error codes).
_EXPIRED_OR_CLOCK = "RequestExpired"
# Codes that also refuse valid keys, in a region that the account has not enabled
# (turbot/steampipe-plugin-aws#75, hashicorp/terraform-provider-aws#12940).
_INVALID_OR_REGION = ("AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException")


class ChainError(CredentialsError):
    """The failure of the credential chain to give usable credentials; `__cause__` is the original error.

    `login` is the command for a new sign-in, if one is needed.
    """

    login = ""


def chain_error(error: Exception, profile: Profile, method: str = "") -> ChainError:
    """Return the error to show for an exception of the chain; `method` is botocore's name of the source."""
    known = _explain_chain_error(error, profile, method)
    has_ended = isinstance(error, _ENDED_SIGN_IN) and not isinstance(error, raised.LoginInsufficientPermissions)
    known.login = profile.login if has_ended else ""
    return known


# botocore 1.44.5: errors that a new sign-in cures, such as SSOTokenLoadError and LoginRefreshRequired.
_ENDED_SIGN_IN = (raised.SSOError, raised.TokenRetrievalError, raised.LoginError)


def _explain_chain_error(error: Exception, profile: Profile, method: str) -> ChainError:
    """Return the error by the first entry of `_EXPLANATIONS` that fits, else by the credentials' source."""
    for error_types, explain in _EXPLANATIONS:
        if isinstance(error, error_types) and (explanation := explain(error, profile, method)):
            return ChainError(explanation[0], f"{explanation[1]} {_LOCAL_NEEDS_NONE}")
    explanation = _explain_by_source(error, profile, method)
    return ChainError(explanation[0], f"{explanation[1]} {_LOCAL_NEEDS_NONE}")


# The message and the hint for one class of errors; None where the next entry of `_EXPLANATIONS` may fit.
MessageAndHint = tuple[str, str] | None
Explanation = Callable[[Any, Profile, str], MessageAndHint]


def credentials_refused_error(error: object) -> CredentialsError:
    """Return the error to show if AWS does not accept a call's signature; `error` holds AWS's words."""
    if any(words in str(error) for words in _WRONG_CLOCK):
        return CredentialsError(
            f"AWS does not accept when this was signed: {error}",
            "Set this machine's clock right, then run the same command again.",
        )
    profile = Profile.current()
    renew = f"run `{profile.login}`" if profile.login else "run `aws sso login` or `aws login`"
    return CredentialsError(
        f"AWS does not accept these credentials: {error}",
        "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or "
        f"{renew}; {_RUN_AGAIN}. {_other_cause(str(error))}{_LOCAL_NEEDS_NONE}",
    )


def _other_cause(error: str) -> str:
    """Return a sentence about another possible cause than the keys; "" if none is known."""
    if _EXPIRED_OR_CLOCK in error:
        return "Where they are new, set this machine's clock right. "
    if any(code in error for code in _INVALID_OR_REGION):
        return "Where they work elsewhere, the account may not have enabled this region. "
    return ""


def _explain_missing_profile(error: Exception, profile: Profile, _method: str) -> MessageAndHint:
    message = f"There is no profile {profile.name}: {error}"
    if profile.profile_names:
        return message, f"{profile.profile_list} Set AWS_PROFILE to one of them."
    make = f"`aws configure --profile {shlex.quote(profile.name)}`"
    return message, (
        f"{profile.profile_list} Make this one with {make}, or unset AWS_PROFILE and set AWS_ACCESS_KEY_ID and "
        f"AWS_SECRET_ACCESS_KEY; {_RUN_AGAIN}."
    )


def _explain_no_credentials(_error: Exception, profile: Profile, _method: str) -> MessageAndHint:
    finding = f"{profile.title} has none" if profile.is_chosen else "None were found"
    keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN)"
    hint = f"Set AWS_PROFILE ({profile.profile_list.rstrip('.')}), or {keys}, or run `aws sso login` or `aws login`"
    if not profile.profile_names:
        hint = f"{profile.profile_list} Set {keys}, or run `aws configure`, `aws configure sso` or `aws login`"
    return f"AWS cannot be asked without credentials. {finding}.", f"{hint}; {_RUN_AGAIN}."


def _explain_partial_credentials(error: Exception, _profile: Profile, _method: str) -> MessageAndHint:
    return f"The credentials are not whole: {error}", f"Set what is missing, {_RUN_AGAIN}."


def _explain_unreadable_files(error: Exception, profile: Profile, _method: str) -> MessageAndHint:
    return (
        f"The credentials of {profile.words} cannot be read: {error}",
        f"Mend that in {_FILES}, {_RUN_AGAIN}. {profile.profile_list}",
    )


def _explain_ended_sso(error: Exception, profile: Profile, _method: str) -> MessageAndHint:
    return (
        f"The sign-in of {profile.words} is over, or there was none: {error}",
        f"Run `{profile.login or 'aws sso login'}`, {_RUN_AGAIN}.",
    )


def _explain_ended_login(error: Exception, profile: Profile, _method: str) -> MessageAndHint:
    if isinstance(error, raised.LoginInsufficientPermissions):
        return str(error), "Give this user the right signin:CreateOAuth2Token, as an administrator can."
    return (
        f"The sign-in of {profile.words} is over, or there was none: {error}",
        f"Run `{profile.login or 'aws login'}`, {_RUN_AGAIN}.",
    )


def _explain_missing_package(error: Exception, profile: Profile, _method: str) -> MessageAndHint:
    return (
        f"{profile.title} signs in by `aws login`, which needs a package that is not installed here: {error}",
        f"Install it with `{install_command(LOGIN)}`, {_RUN_AGAIN}.",
    )


def _explain_mfa(_error: Exception, profile: Profile, _method: str) -> MessageAndHint:
    device = profile.config.get("mfa_serial", "an MFA device")
    return (
        f"{profile.title} asks for a code of {device}, and nobody can type one here.",
        f"Run `aws sts get-caller-identity --profile {profile.name}` in a terminal: the session that it "
        f"leaves in ~/.aws/cli/cache is used here; {_RUN_AGAIN}.",
    )


def _explain_expired_credentials(error: Exception, profile: Profile, method: str) -> MessageAndHint:
    """Explain botocore's RuntimeError about new credentials that are as expired as the old ones."""
    if "expired" not in str(error):
        return None
    if method == "env":
        expiry = os.environ.get("AWS_CREDENTIAL_EXPIRATION", "")
        return (
            f"The credentials of the environment have ended: AWS_CREDENTIAL_EXPIRATION is {expiry}.",
            f"Set new ones, or unset that where it is wrong; {_RUN_AGAIN}.",
        )
    if method == "custom-process":
        return (
            f"The program that credential_process of {profile.words} names hands out credentials that have ended.",
            f"Sign in there, or mend it; {_RUN_AGAIN}.",
        )
    return _explain_by_source(error, profile, method)


def _explain_refusal(error: ClientError, profile: Profile, _method: str) -> MessageAndHint:
    body = error.response.get("Error", {})
    message = f"{error.operation_name} answered {body.get('Code', '')}: {body.get('Message', '')}"
    if role := profile.config.get("role_arn"):
        return (
            f"{profile.title} does not get the role {role}: {message}",
            "Look at who may assume it, at the external ID and at the code of the MFA device (AWS takes one "
            f"once); {_RUN_AGAIN}.",
        )
    return _explain_by_source(message, profile, "")


def _explain_missing_token_file(error: OSError, profile: Profile, _method: str) -> MessageAndHint:
    token = os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") or profile.config.get("web_identity_token_file")
    if not isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)) or not token:
        return None
    return (
        f"The token of {token} cannot be read: {error.strerror}.",
        f"AWS_WEB_IDENTITY_TOKEN_FILE or web_identity_token_file names it: name one that is there, {_RUN_AGAIN}.",
    )


def _explain_unreachable(error: Exception, profile: Profile, _method: str) -> MessageAndHint:
    trust = f" {trust_hint(is_unreadable=False)}" if isinstance(error, raised.SSLError) else ""
    return (
        f"The credentials of {profile.words} could not be fetched: {error}",
        f"Check the network, HTTPS_PROXY and NO_PROXY, {_RUN_AGAIN}.{trust}",
    )


def _explain_by_source(error: object, profile: Profile, method: str) -> tuple[str, str]:
    """Say that the credentials found cannot be used, with the advice for the source that they come from."""
    # Python's message about a value of an unexpected type tells a person nothing.
    has_useful_text = not isinstance(error, Exception) or isinstance(error, (BotoCoreError, OSError, ValueError))
    reason = str(error) if has_useful_text else "they are not whole"
    if "credential_process" in profile.config or method == "custom-process":
        return (
            f"What credential_process of {profile.words} prints are no credentials: {reason}",
            "It is to print one JSON object with Version 1, AccessKeyId and SecretAccessKey (and "
            f"SessionToken, Expiration): mend it, {_RUN_AGAIN}.",
        )
    if profile.login:
        return (
            f"The sign-in of {profile.words} cannot be used: {reason}",
            f"Run `{profile.login}`, {_RUN_AGAIN}.",
        )
    if variable := next((name for name in _CONTAINER if os.environ.get(name)), ""):
        return (
            f"The container gives no credentials: {reason}",
            f"{variable} names where they are asked for, as ECS or EKS sets it: look at that; {_RUN_AGAIN}.",
        )
    return (
        f"The credentials of {profile.words} cannot be used: {reason}",
        f"Look at AWS_PROFILE, the AWS_ variables and {_FILES}, {_RUN_AGAIN}. {profile.profile_list}",
    )


_EXPLANATIONS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Explanation], ...] = (
    (raised.ProfileNotFound, _explain_missing_profile),
    ((raised.NoCredentialsError, raised.NoAuthTokenError), _explain_no_credentials),
    (raised.PartialCredentialsError, _explain_partial_credentials),
    ((raised.ConfigParseError, raised.ConfigNotFound, raised.InvalidConfigError), _explain_unreadable_files),
    ((raised.UnknownCredentialError, raised.UnknownTokenProviderError), _explain_unreadable_files),
    ((raised.SSOError, raised.TokenRetrievalError), _explain_ended_sso),
    (raised.LoginError, _explain_ended_login),
    (raised.MissingDependencyException, _explain_missing_package),
    ((EOFError, raised.RefreshWithMFAUnsupportedError), _explain_mfa),
    (RuntimeError, _explain_expired_credentials),
    ((raised.ConnectionError, raised.HTTPClientError), _explain_unreachable),
    (ClientError, _explain_refusal),
    (OSError, _explain_missing_token_file),
    (JSONDecodeError, _explain_by_source),
)
