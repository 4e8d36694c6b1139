"""Error messages about this machine's credentials: what is wrong, and what to type."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from json import JSONDecodeError
from typing import Any

from botocore import exceptions as raised
from botocore.exceptions import BotoCoreError, ClientError

from provisioner.aws.network import mend_trust
from provisioner.aws.profiles import Profile
from provisioner.errors import CredentialsError

_AGAIN = "then run the same command again"
INSTALL = "pip install -e '.[login]'"
_FILES = "~/.aws/config or ~/.aws/credentials"
# botocore credentials.py, ContainerProvider.
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_NEED_NONE = "A rehearsal with --local needs none."
# How the services say that a signature is too old or too new (AWS general reference, Signature Version 4
# troubleshooting; S3 error responses).
_WRONG_CLOCK = ("Signature expired", "Signature not yet current", "RequestTimeTooSkewed")
# EC2's code for expired keys, and for a clock that is 15 minutes wrong (EC2 API, error codes).
_OR_CLOCK = "RequestExpired"
# Codes that also refuse valid keys, in a region that the account has not enabled
# (turbot/steampipe-plugin-aws#75, hashicorp/terraform-provider-aws#12940).
_OR_REGION = ("AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException")


class ChainError(CredentialsError):
    """The failure of the credential chain to give usable credentials; `__cause__` is the original error.

    `login` is the command for a new sign-in, if one is needed.
    """

    login = ""


def chain_error(error: Exception, profile: Profile, method: str = "") -> ChainError:
    """Return the error to show for an exception of the chain; `method` is botocore's name of the source."""
    known = _chain_error(error, profile, method)
    is_over = isinstance(error, _SIGN_IN_OVER) and not isinstance(error, raised.LoginInsufficientPermissions)
    known.login = profile.login if is_over else ""
    return known


# botocore 1.44.5: errors that a new sign-in cures, such as SSOTokenLoadError and LoginRefreshRequired.
_SIGN_IN_OVER = (raised.SSOError, raised.TokenRetrievalError, raised.LoginError)


def _chain_error(error: Exception, profile: Profile, method: str) -> ChainError:
    """Return the error by the first entry of `_SENTENCES` that fits, else by the credentials' source."""
    for meant, sentence in _SENTENCES:
        if isinstance(error, meant) and (said := sentence(error, profile, method)):
            return ChainError(said[0], f"{said[1]} {_NEED_NONE}")
    said = _of_the_source(error, profile, method)
    return ChainError(said[0], f"{said[1]} {_NEED_NONE}")


# The message and the hint for one class of errors; None where the next entry of `_SENTENCES` may fit.
Said = tuple[str, str] | None
Sentence = Callable[[Any, Profile, str], Said]


def not_accepted(error: object) -> CredentialsError:
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
        f"{renew}; {_AGAIN}. {_or_else(str(error))}{_NEED_NONE}",
    )


def _or_else(error: str) -> str:
    """Return a sentence about another possible cause than the keys; "" if none is known."""
    if _OR_CLOCK in error:
        return "Where they are new, set this machine's clock right. "
    if any(code in error for code in _OR_REGION):
        return "Where they work elsewhere, the account may not have enabled this region. "
    return ""


def _no_profile(error: Exception, profile: Profile, _method: str) -> Said:
    told = f"There is no profile {profile.name}: {error}"
    if profile.known:
        return told, f"{profile.others} Set AWS_PROFILE to one of them."
    make = f"`aws configure --profile {shlex.quote(profile.name)}`"
    return told, (
        f"{profile.others} Make this one with {make}, or unset AWS_PROFILE and set AWS_ACCESS_KEY_ID and "
        f"AWS_SECRET_ACCESS_KEY; {_AGAIN}."
    )


def _none(_error: Exception, profile: Profile, _method: str) -> Said:
    where = f"{profile.title} has none" if profile.chosen else "None were found"
    keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN)"
    ways = f"Set AWS_PROFILE ({profile.others.rstrip('.')}), or {keys}, or run `aws sso login` or `aws login`"
    if not profile.known:
        ways = f"{profile.others} Set {keys}, or run `aws configure`, `aws configure sso` or `aws login`"
    return f"AWS cannot be asked without credentials. {where}.", f"{ways}; {_AGAIN}."


def _half(error: Exception, _profile: Profile, _method: str) -> Said:
    return f"The credentials are not whole: {error}", f"Set what is missing, {_AGAIN}."


def _of_files(error: Exception, profile: Profile, _method: str) -> Said:
    return (
        f"The credentials of {profile.words} cannot be read: {error}",
        f"Mend that in {_FILES}, {_AGAIN}. {profile.others}",
    )


def _sso(error: Exception, profile: Profile, _method: str) -> Said:
    return (
        f"The sign-in of {profile.words} is over, or there was none: {error}",
        f"Run `{profile.login or 'aws sso login'}`, {_AGAIN}.",
    )


def _login(error: Exception, profile: Profile, _method: str) -> Said:
    if isinstance(error, raised.LoginInsufficientPermissions):
        return str(error), "Give this user the right signin:CreateOAuth2Token, as an administrator can."
    return (
        f"The sign-in of {profile.words} is over, or there was none: {error}",
        f"Run `{profile.login or 'aws login'}`, {_AGAIN}.",
    )


def _missing_package(error: Exception, profile: Profile, _method: str) -> Said:
    return (
        f"{profile.title} signs in by `aws login`, which needs a package that is not installed here: {error}",
        f"Install it with `{INSTALL}`, {_AGAIN}.",
    )


def _mfa(_error: Exception, profile: Profile, _method: str) -> Said:
    device = profile.config.get("mfa_serial", "an MFA device")
    return (
        f"{profile.title} asks for a code of {device}, and nobody can type one here.",
        f"Run `aws sts get-caller-identity --profile {profile.name}` in a terminal: the session that it "
        f"leaves in ~/.aws/cli/cache is used here; {_AGAIN}.",
    )


def _ended(error: Exception, profile: Profile, method: str) -> Said:
    """Explain botocore's RuntimeError about new credentials that are as expired as the old ones."""
    if "expired" not in str(error):
        return None
    if method == "env":
        when = os.environ.get("AWS_CREDENTIAL_EXPIRATION", "")
        return (
            f"The credentials of the environment have ended: AWS_CREDENTIAL_EXPIRATION is {when}.",
            f"Set new ones, or unset that where it is wrong; {_AGAIN}.",
        )
    if method == "custom-process":
        return (
            f"The program that credential_process of {profile.words} names hands out credentials that have ended.",
            f"Sign in there, or mend it; {_AGAIN}.",
        )
    return _of_the_source(error, profile, method)


def _refused(error: ClientError, profile: Profile, _method: str) -> Said:
    body = error.response.get("Error", {})
    told = f"{error.operation_name} answered {body.get('Code', '')}: {body.get('Message', '')}"
    if role := profile.config.get("role_arn"):
        return (
            f"{profile.title} does not get the role {role}: {told}",
            "Look at who may assume it, at the external ID and at the code of the MFA device (AWS takes one "
            f"once); {_AGAIN}.",
        )
    return _of_the_source(told, profile, "")


def _missing_file(error: OSError, profile: Profile, _method: str) -> Said:
    token = os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") or profile.config.get("web_identity_token_file")
    if not isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)) or not token:
        return None
    return (
        f"The token of {token} cannot be read: {error.strerror}.",
        f"AWS_WEB_IDENTITY_TOKEN_FILE or web_identity_token_file names it: name one that is there, {_AGAIN}.",
    )


def _unreached(error: Exception, profile: Profile, _method: str) -> Said:
    trust = f" {mend_trust(is_unreadable=False)}" if isinstance(error, raised.SSLError) else ""
    return (
        f"The credentials of {profile.words} could not be fetched: {error}",
        f"Check the network, HTTPS_PROXY and NO_PROXY, {_AGAIN}.{trust}",
    )


def _of_the_source(error: object, profile: Profile, method: str) -> tuple[str, str]:
    """Say that the credentials found cannot be used, with the advice for the source that they come from."""
    # Python's message about a value of an unexpected type tells a person nothing.
    is_telling = not isinstance(error, Exception) or isinstance(error, (BotoCoreError, OSError, ValueError))
    what = str(error) if is_telling else "they are not whole"
    if "credential_process" in profile.config or method == "custom-process":
        return (
            f"What credential_process of {profile.words} prints are no credentials: {what}",
            "It is to print one JSON object with Version 1, AccessKeyId and SecretAccessKey (and "
            f"SessionToken, Expiration): mend it, {_AGAIN}.",
        )
    if profile.login:
        return (
            f"The sign-in of {profile.words} cannot be used: {what}",
            f"Run `{profile.login}`, {_AGAIN}.",
        )
    if named := next((name for name in _CONTAINER if os.environ.get(name)), ""):
        return (
            f"The container gives no credentials: {what}",
            f"{named} names where they are asked for, as ECS or EKS sets it: look at that; {_AGAIN}.",
        )
    return (
        f"The credentials of {profile.words} cannot be used: {what}",
        f"Look at AWS_PROFILE, the AWS_ variables and {_FILES}, {_AGAIN}. {profile.others}",
    )


_SENTENCES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Sentence], ...] = (
    (raised.ProfileNotFound, _no_profile),
    ((raised.NoCredentialsError, raised.NoAuthTokenError), _none),
    (raised.PartialCredentialsError, _half),
    ((raised.ConfigParseError, raised.ConfigNotFound, raised.InvalidConfigError), _of_files),
    ((raised.UnknownCredentialError, raised.UnknownTokenProviderError), _of_files),
    ((raised.SSOError, raised.TokenRetrievalError), _sso),
    (raised.LoginError, _login),
    (raised.MissingDependencyException, _missing_package),
    ((EOFError, raised.RefreshWithMFAUnsupportedError), _mfa),
    (RuntimeError, _ended),
    ((raised.ConnectionError, raised.HTTPClientError), _unreached),
    (ClientError, _refused),
    (OSError, _missing_file),
    (JSONDecodeError, _of_the_source),
)
