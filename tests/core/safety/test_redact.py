"""The mask over secrets: what it covers, what it leaves, and that it keeps the form of what it masks (case 83)."""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core.safety.redact import (
    MASK,
    Redactor,
    is_secret_name,
    redact,
    redact_environment,
    redact_value,
)
from buddy_core.safety.redaction.shapes import SHAPES

SECRET_NAMES = (
    "password passwd DB_PASSWORD db-password dbPassword PGPASSWORD MYSQL_PWD user_pass DB_PASS passphrase secret "
    "SECRET_KEY_BASE client_secret clientSecret token authToken access_token GITHUB_TOKEN refreshToken "
    "refresh_tokens api_key apikey APIKEY X-Api-Key OPENAI_KEY anthropicKey private_key ssh_key session_key "
    "authorization Proxy-Authorization cookie Set-Cookie credential credentials dsn SENTRY_DSN connectionString "
    "AccountKey SharedAccessKey signing_key encryptionKey aws_secret_access_key access_key_id npm_config__authToken "
    "API_KEY_2 otp totp jwt id_token _password"
)
PUBLIC_NAMES = (
    "promptTokens total_tokens max_tokens tokens_total tokens tokenCount token_count tokens_per_minute tokenizer "
    "next_token nextPageToken pad_token key keys primary_key foreign_key cache_key keyboard keyword monkey keypress "
    "author authority authored authorized_by PATH HOME PWD OLDPWD SSH_AUTH_SOCK XAUTHORITY session_id sessionId "
    "password_file token_url token_type has_password is_secret secret_name cookie_domain passed passing compass "
    "bypass first_pass test_pass model name path id run_id toolCallId sha256 public_key error_code status_code code "
    "design signal side inside publicKeyPath"
)

LEFT_ALONE = (
    "commit 3f9a8b7c6d5e4f3a2b1c3f9a8b7c6d5e4f3a2b1c by Ada",
    "run_mk5k1qoj_724ab2 took 550e8400-e29b-41d4-a716-446655440000",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "toolu_01A09q90qw90lq917835lq9 and call_8HkXyZ1234567890abcdefgh",
    "/home/dev/src/shop-api/src/auth/token.py",
    "claude-sonnet-4-5-20250929 and gpt-5.2-codex",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "promptTokens: 1200, max_tokens=4096, 61.2k tokens",
    "password = get_password()",
    "password = password",
    "def login(user: str, password: str, token: Token) -> None:",
    "api_key = os.environ['API_KEY']",
    'token = "identifier"',
    'if token == "identifier":',
    "PASSWORD=${PASSWORD}",
    "password: <your password>",
    "token=<token>",
    "api_key: null",
    "getpass('Password: ')",
    'f"token={token}"',
    "the password must have eight characters",
    "Bearer authentication is required; see Basic authentication",
    "https://example.com:8080/path?email=ada@example.com",
    "git@github.com:ada/repo.git",
    "const password = useState('')",
    "primary_key: id",
    "tests/test_token.py::test_token_expiry PASSED",
    "npm_config_cache hf_hub sk-learn pypi-server",
    "Authorization: ${AUTH}",
    "for key in keys: print(key)",
    "Cookie: the header a browser sends",
    "--token-file /etc/token",
    "sessionId: 0190c3b2-7e4c-7aaa-8d6a-3f2a1b0c9d8e",
)


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_name_that_promises_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)
    assert redact_value({name: "abc"}) == {name: MASK}


@pytest.mark.parametrize("name", PUBLIC_NAMES.split())
def test_a_name_that_only_sounds_like_one_is_left_alone(name: str) -> None:
    assert not is_secret_name(name)
    assert redact_value({name: "plain words"}) == {name: "plain words"}


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_ordinary_text_comes_back_as_it_was(text: str) -> None:
    assert redact(text) == text


def test_the_prefix_of_a_token_stays_and_says_what_was_there() -> None:
    assert redact("ghp_" + "a1B2c3" * 6) == f"ghp_{MASK}"
    assert redact("postgres://app:hunter2@db/x") == f"postgres://app:{MASK}@db/x"


def test_a_private_key_is_masked_whole_also_when_it_is_cut_off() -> None:
    begin, end = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"
    body = "\nb3BlbnNzaC1rZXktdjEAAAAA\nBG5vbmUAAAAEbm9uZQAAAA==\n"
    assert redact(f"a\n{begin}{body}{end}\nz") == f"a\n{begin}{MASK}{end}\nz"
    assert "b3Bl" not in redact(f"{begin}{body}")
    assert "b3Bl" not in redact(f"cut off\n{body}{end}\nz")
    assert "b3Bl" not in redact(json.dumps(f"{begin}{body}{end}"))


@pytest.mark.parametrize("hidden", ["ada:hunter2canary", "password=hunter2canary", "ghp_" + "a1B2c3" * 6])
def test_a_secret_in_base64_is_masked(hidden: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        code = encode(hidden.encode()).decode()
        assert redact(f"x {code} y") == f"x {MASK} y"


def test_json_stays_json_and_numbers_stay() -> None:
    document = {"password": 'a"b\\c', "n": 1, "promptTokens": 7, "list": [{"token": "t0ken"}], "note": "x=1"}
    for text in (json.dumps(document), json.dumps(document, indent=2), json.dumps(json.dumps(document))):
        masked: Any = redact(text)
        while isinstance(masked, str):
            masked = json.loads(masked)
        assert masked == {**document, "password": MASK, "list": [{"token": MASK}]}


class _Pair(NamedTuple):
    name: str
    password: str


def test_values_keep_their_kind_and_are_not_changed_in_place() -> None:
    value = {
        "env": {"API_KEY": "k", "HOME": "/root", "PORT": 80},
        "argv": ["tool", "--password", "p1", "--verbose"],
        "headers": [("Authorization", "Bearer x"), {"name": "Cookie", "value": "a=b"}],
        "pair": _Pair("ada", "ghp_" + "a1B2c3" * 6),
        "raw": b"password=hunter2",
        "credentials": {"user": "ada", "nested": ["x"], "n": 5, "ok": True, "none": None},
    }
    before = repr(value)
    masked = redact_value(value)
    assert repr(value) == before
    assert masked == {
        "env": {"API_KEY": MASK, "HOME": "/root", "PORT": 80},
        "argv": ["tool", "--password", MASK, "--verbose"],
        "headers": [("Authorization", MASK), {"name": "Cookie", "value": MASK}],
        "pair": _Pair("ada", f"ghp_{MASK}"),
        "raw": f"password={MASK}".encode(),
        "credentials": {"user": MASK, "nested": [MASK], "n": 5, "ok": True, "none": None},
    }


def test_a_value_takes_the_name_it_stands_under() -> None:
    assert redact_value("abc", name="password") == MASK
    assert redact_value("abc", name="path") == "abc"
    assert redact_value(123456, name="pin_password") == MASK
    assert redact_value(123456, name="token") == 123456


def test_cycles_and_endless_depth_end() -> None:
    loop: list[Any] = ["password=hunter2"]
    loop += [loop, loop]
    assert redact_value(loop) == [f"password={MASK}", "…", "…"]
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    redact_value(deep)
    shared: Any = ["x"]
    for _ in range(60):  # 2**60 leaves, if each were walked
        shared = [shared, shared]
    redact_value(shared)


def test_secret_keys_that_become_alike_stay_two() -> None:
    keys = ["ghp_" + letter * 36 for letter in "ab"]
    masked = redact_value(dict.fromkeys(keys, 1))
    assert isinstance(masked, dict)
    assert len(masked) == 2
    assert not any("aaaa" in key or "bbbb" in key for key in masked)


def test_an_environment_loses_its_secrets_and_keeps_the_rest() -> None:
    env = {
        "PATH": "/usr/bin",
        "GITHUB_TOKEN": "abc",
        "EMPTY_TOKEN": "",
        "DATABASE_URL": "postgres://u:hunter2@db/x",
        "PWD": "/home/ada",
        "SSH_AUTH_SOCK": "/tmp/ssh-XXXX/agent.1",
    }
    assert redact_environment(env) == env | {
        "GITHUB_TOKEN": MASK,
        "DATABASE_URL": f"postgres://u:{MASK}@db/x",
    }


KNOWN = 'cänary-"42"/+ value'


@pytest.mark.parametrize(
    "spelled",
    [
        KNOWN,
        json.dumps(KNOWN)[1:-1],
        json.dumps(KNOWN, ensure_ascii=False)[1:-1],
        "c%C3%A4nary-%2242%22%2F%2B%20value",
        "c%C3%A4nary-%2242%22%2F%2B+value",
        KNOWN.encode().hex(),
    ],
)
def test_a_known_value_is_masked_however_it_is_written(spelled: str) -> None:
    assert Redactor([KNOWN]).redact(f"<{spelled}>") == f"<{MASK}>"


@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
@settings(max_examples=60)
def test_a_known_value_inside_base64_is_masked_wherever_it_begins(before: bytes, after: bytes) -> None:
    secret = "canary-of-known-value"
    code = base64.b64encode(before + secret.encode() + after).decode()
    masked = Redactor([secret]).redact(code)
    middle = base64.b64encode(secret.encode()).decode()[4:20]
    assert masked != code
    assert middle not in masked


def test_known_values_come_from_secret_variables_and_short_ones_are_left_out() -> None:
    redactor = Redactor.from_environment(
        {"MY_TOKEN": "canary-value", "MY_PASSWORD": "on", "HOME": "/root/ada"}
    )
    assert redactor.redact("turn on /root/ada canary-value") == f"turn on /root/ada {MASK}"
    assert redactor.redact_value({"a": ["canary-value"]}) == {"a": [MASK]}


def test_a_known_value_cannot_break_the_mask() -> None:
    redactor = Redactor(["masked", MASK, "‹masked"])
    assert redactor.redact(f"password={MASK}") == f"password={MASK}"


_SCRAPS = st.sampled_from(
    [
        *(hint for shape in SHAPES for hint in shape.hints.split()),
        *(
            "password",
            "token",
            "api_key",
            "Authorization",
            "Cookie",
            "Bearer ",
            "Basic ",
            "eyJ",
            "://",
            "@",
            MASK,
        ),
        *(
            '"',
            "'",
            "\\",
            "=",
            ": ",
            ":",
            ",",
            " ",
            "\n",
            "{",
            "}",
            "|",
            ">",
            "<",
            "%3D",
            "%22",
            "-----BEGIN ",
        ),
        *(
            "RSA PRIVATE KEY-----",
            "-----END ",
            "a1B2c3d4" * 5,
            "hunter2",
            "\x1b[31m",
            "\\n",
            "\ud800",
            "İ",
            "é",
        ),
    ]
)


@given(st.lists(_SCRAPS, max_size=14).map("".join))
@settings(max_examples=600, deadline=None)
def test_masking_twice_is_masking_once_whatever_the_text(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["password", "n", "tokens", "a"]) | st.integers(), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(_VALUES)
@settings(max_examples=200, deadline=None)
def test_any_value_can_be_masked_and_again_with_the_same_result(value: object) -> None:
    once = redact_value(value)
    assert type(once) is type(value) or once == MASK
    assert repr(redact_value(once)) == repr(once)


@pytest.mark.parametrize("end", ["", "…", "..."])
def test_a_token_that_was_cut_short_with_its_text_is_masked_too(end: str) -> None:
    """Arguments are recorded up to 500 characters: what is left of a token has no length to be known by."""
    masked = redact("curl " + "x" * 480 + " ghp_a1B2c3d4" + end)
    assert "a1B2" not in masked
    assert redact(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=root",
        "Server=h;Password=swordfish;Encrypt=yes",
        "/x?user=a&password=b",
        "password=swordfish",
        "  password: swordfish",
        "docker run -e POSTGRES_PASSWORD=x y",
        'password="correct horse battery staple"',
        "password='a\\'swordfish'",
    ],
)
def test_a_password_may_be_a_mere_word_where_nothing_but_a_password_can_stand(text: str) -> None:
    masked = redact(text)
    assert MASK in masked
    assert not any(word in masked for word in ("swordfish", "root", "horse", "=x", "=b"))
