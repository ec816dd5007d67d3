"""Which names promise a secret: of keys, variables, headers, flags and fields.

A name is taken apart into words (`clientSecret`, `X-Api-Key`, `DB_PASS`), and its words decide. Counts of
tokens, keys of tables and the names of files that hold secrets are told apart from secrets themselves.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import Final

from buddy_core.safety.redaction.looks import words

MAX_NAME: Final = 96
"""Characters of a name that are looked at; longer ones are no names."""


class Promise(IntEnum):
    """How sure a name makes one that its value is a secret."""

    NONE = 0
    WEAK = 1
    """Only where the value looks like one too: `auth`, `pass`, `sig`."""
    FAIR = 2
    """In data always, in text where the value is no mere word: `token`."""
    STRONG = 3
    """`password`, `api_key`, `client_secret`."""


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_STRONG = words(
    "password passwords passwd passphrase passcode passwort motdepasse secret secrets credential credentials "
    "authorization apikey apikeys privatekey secretkey accesskey dsn otp totp authtoken apitoken jwt "
    "accesstoken refreshtoken idtoken sessiontoken bearertoken clientsecret appsecret sharedsecret cookie "
    "cookies masterkey encryptionkey signingkey connectionstring connstr accountkey sessionkey sharedaccesskey "
    "phpsessid jsessionid  passkey requirepass masterauth keypassword pgpassword userpassword"
)
"""One of these words makes a name a promise by itself."""

_INSIDE = (
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "secretkey",
    "clientsecret",
    "privatekey",
    "authtoken",
)
"""Found anywhere in a name written without separators (`PGPASSWORD`, `dbpasswd2`)."""

_KEY_KINDS = words(
    "api access private secret encryption encrypt signing sign master account shared ssh gpg pgp session "
    "consumer deploy subscription hmac aes rsa jwt cookie admin functions storage service auth app license "
    "webhook openai anthropic google gemini azure aws stripe github gitlab mistral groq cohere deepseek xai "
    "grok openrouter together perplexity huggingface replicate elevenlabs tavily serper exa brave pinecone "
    "langsmith langchain sendgrid mailgun twilio datadog newrelic algolia firebase supabase cloudflare heroku "
    "digitalocean vercel netlify npm ingest integration"
)
"""What stands before `key` in the name of a secret; most keys are those of tables and keyboards."""

_TOKENS_KINDS = words("access refresh auth api bearer session csrf xsrf secret personal device push")
"""What tells secret `tokens` from those a model counts."""

_PLAIN_TOKENS = words(
    "next prev previous page continuation cursor sync start end eos bos pad unk cls sep mask stop special "
    "first last per each text input output prompt completion cache cached read write reasoning thinking image "
    "audio max min total avg mean num count used left right current peek lookahead expected unexpected "
    "cancellation cancel"
)
"""What stands before `token` where it is a piece of text, a page or a signal."""

_PUBLIC_ENDS = words(
    "count counts total totals limit limits max min size sizes length len type types name names file files "
    "filename path paths dir directory url uri endpoint version status state expiry expires expired ttl age "
    "usage used budget rate price cost enabled disabled required valid invalid policy field fields label hint "
    "column index idx position offset kind format pattern regex error errors at created updated algorithm "
    "method provider providers manager store stores class domain title description placeholder env var "
    "variable ids arn region sock socket strength lifetime seconds ms minutes hours days samesite secure "
    "httponly rotation source mode options option config settings prompt text parser grant scope scopes "
    "issuer audience reader helper jar info metadata input output timeout bytes chars present set"
)
"""A name that ends in one of these is about a secret, and is none."""

_PUBLIC_BEGINS = words(
    "is has use uses num n max min total avg mean count enable enabled show hide allow require requires "
    "required without no missing public masked needs"
)

_WEAK_ENDS = words("auth pass pwd pin sig signature sid bearer login webhook code")
_NOT_A_PASS = words(
    "first second third two multi single by bi num test low high band all render forward backward one by "
    "compass over last"
)
_NOT_A_CODE = words("otp mfa verification auth authorization 2fa totp recovery backup security")


def is_secret_name(name: str) -> bool:
    """True when a value under `name` is a secret whatever it looks like; `total_tokens` is none."""
    return promise(name) >= Promise.FAIR


@lru_cache(maxsize=4096)
def promise(name: str) -> Promise:
    """What `name` promises of its value. Never raises; linear in the name, which is cut at `MAX_NAME`."""
    parts = [word.lower() for word in _WORD.findall(name[:MAX_NAME])]
    if not parts or len(name) > MAX_NAME:
        return Promise.NONE
    if parts[-1].isdigit() and len(parts) > 1:  # API_KEY_2
        parts.pop()
    if parts[-1] in _PUBLIC_ENDS or (parts[0] in _PUBLIC_BEGINS and len(parts) > 1):
        return Promise.NONE
    if name in ("PWD", "OLDPWD"):  # the shell's directories
        return Promise.NONE
    return _of_parts(parts)


def _of_parts(parts: list[str]) -> Promise:
    if not _STRONG.isdisjoint(parts):
        return Promise.STRONG
    squeezed = "".join(parts)
    if any(part in squeezed for part in _INSIDE):
        return Promise.STRONG
    for before, word in zip(["", *parts], parts, strict=False):
        if word in ("key", "keys") and before in _KEY_KINDS:
            return Promise.STRONG
    if squeezed in ("connectsid", "connectionstring", "connstring", "sharedaccesssignature"):
        return Promise.STRONG
    return max(_of_token(parts), _of_last(parts))


def _of_token(parts: list[str]) -> Promise:
    if parts[-1] == "tokens":
        return Promise.NONE if _TOKENS_KINDS.isdisjoint(parts) else Promise.STRONG
    if parts[-1] != "token":
        return Promise.NONE
    if len(parts) == 1:
        return Promise.FAIR
    if parts[-2] in _PLAIN_TOKENS:
        return Promise.NONE
    return Promise.FAIR if _TOKENS_KINDS.isdisjoint(parts) else Promise.STRONG


def _of_last(parts: list[str]) -> Promise:
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last not in _WEAK_ENDS:
        return Promise.NONE
    if last == "code":
        return Promise.WEAK if before in _NOT_A_CODE else Promise.NONE
    if last == "pass":
        if before in _NOT_A_PASS:
            return Promise.NONE
        return Promise.FAIR if before else Promise.WEAK
    if last == "pwd" and before:
        return Promise.FAIR
    return Promise.WEAK
