"""Case 83: two hundred secrets of every kind, in every place an agent leaves them; none survives.

What is looked for is not only the whole secret but every piece of eight characters of it, so that a mask
that ends too early is found too. The values are made up; none was ever valid.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

import pytest

from buddy_core.safety.redact import MASK, Redactor, hold_no_secret, redact, redact_value

_PIECE = 8
_DIGITS_AND_LETTERS = string.ascii_letters + string.digits


class Canary(NamedTuple):
    label: str
    secret: str
    text: str


def _made(seed: str, length: int, alphabet: str = _DIGITS_AND_LETTERS) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice(alphabet) for _ in range(length))


def _jwt(seed: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"sub": seed, "admin": True}).encode()).decode().rstrip("=")
    return f"{head[3:]}.{body}.{_made(seed, 43)}"


_HEX = "0123456789abcdef"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

SHAPES: dict[str, tuple[str, str]] = {
    "aws-key-id": ("AKIA", _made("aws", 16, _BASE32)),
    "aws-temporary-id": ("ASIA", _made("asia", 16, _BASE32)),
    "github-classic": ("ghp_", _made("ghp", 36)),
    "github-oauth": ("gho_", _made("gho", 36)),
    "github-server": ("ghs_", _made("ghs", 36)),
    "github-fine": ("github_pat_", _made("fine", 22) + "_" + _made("fine2", 59)),
    "gitlab": ("glpat-", _made("glpat", 20)),
    "gitlab-routable": ("glpat-", _made("glr", 27) + ".01." + _made("glr2", 9, _HEX)),
    "openai-old": ("sk-", _made("openai", 48)),
    "openai-project": ("sk-proj-", _made("proj", 60) + "_" + _made("proj2", 60)),
    "openai-service": ("sk-svcacct-", _made("svc", 60)),
    "anthropic": ("sk-ant-", "api03-" + _made("ant", 93) + "AA"),
    "openrouter": ("sk-or-", "v1-" + _made("or", 64, _HEX)),
    "google": ("AIza", _made("google", 35)),
    "google-oauth": ("ya29.", _made("ya29", 60)),
    "google-client": ("GOCSPX-", _made("gocspx", 28)),
    "slack-bot": ("xoxb-", "123456789012-1234567890123-" + _made("xoxb", 24)),
    "slack-user": ("xoxp-", "123456789012-" + _made("xoxp", 32)),
    "slack-app": ("xapp-", "1-A0123456789-" + _made("xapp", 64, _HEX)),
    "stripe-live": ("sk_live_", _made("sklive", 24)),
    "stripe-restricted": ("rk_live_", _made("rklive", 24)),
    "stripe-test": ("sk_test_", _made("sktest", 24)),
    "stripe-webhook": ("whsec_", _made("whsec", 32)),
    "npm": ("npm_", _made("npm", 36)),
    "pypi": ("pypi-AgE", "IcHlwaS5vcmc" + _made("pypi", 60)),
    "hugging-face": ("hf_", _made("hf", 34)),
    "sendgrid": ("SG.", _made("sg", 22) + "." + _made("sg2", 43)),
    "telegram": ("", "1234567890:AA" + _made("telegram", 33)),
    "discord": ("", "M" + _made("discord", 23) + "." + _made("d2", 6) + "." + _made("d3", 38)),
    "jwt": ("eyJ", _jwt("canary")),
    "digitalocean": ("dop_v1_", _made("do", 64, _HEX)),
    "shopify": ("shpat_", _made("shopify", 32, _HEX)),
    "groq": ("gsk_", _made("groq", 52)),
    "xai": ("xai-", _made("xai", 80)),
    "perplexity": ("pplx-", _made("pplx", 48)),
    "nvidia": ("nvapi-", _made("nvapi", 60)),
    "replicate": ("r8_", _made("r8", 37)),
    "linear": ("lin_api_", _made("linear", 40)),
    "grafana": ("glsa_", _made("grafana", 32) + "_" + _made("g2", 8, _HEX)),
    "docker": ("dckr_pat_", _made("docker", 27)),
    "vault": ("hvs.", _made("vault", 90)),
    "doppler": ("dp.pt.", _made("doppler", 43)),
    "atlassian": ("ATATT3", _made("atlassian", 180)),
    "age": ("AGE-SECRET-KEY-1", _made("age", 58, _BASE32)),
    "tailscale": ("tskey-", "auth-" + _made("tailscale", 30)),
    "postman": ("PMAK-", _made("postman", 24, _HEX) + "-" + _made("p2", 34, _HEX)),
    "facebook": ("EAA", _made("facebook", 120)),
    "slack-webhook": ("https://hooks.slack.com/services/", "T0001234/B0001234/" + _made("hook", 24)),
    "discord-webhook": ("https://discord.com/api/webhooks/", "123456789012345678/" + _made("dhook", 68)),
    "teams-webhook": ("https://x.webhook.office.com/webhookb2/", _made("teams", 36) + "@" + _made("t2", 36)),
    "telegram-url": ("https://api.telegram.org/bot", "123456789:AA" + _made("turl", 33)),
}

IN_PLACES: dict[str, Callable[[str], str]] = {
    "alone": lambda token: token,
    "in a sentence": lambda token: f"I used {token}, which works.",
    "in JSON": lambda token: json.dumps({"note": f"see {token}"}),
    "after an escaped line break": lambda token: json.dumps(f"first line\n{token}\nthird"),
    "in colour": lambda token: f"\x1b[32m{token}\x1b[0m",
    "in a query": lambda token: "https://example.com/cb?x=" + quote(token, safe="") + "&y=1",
    "after an encoded quote": lambda token: "q=%22" + quote(token, safe="") + "%22",
    "in a diff": lambda token: f"-KEY = old\n+{token}\n",
    "in brackets": lambda token: f"[{token}] ({token}) <{token}>",
}

NAMED: dict[str, str] = {
    "shell export": "export ACME_TOKEN={}",
    "shell, quoted": 'export DB_PASSWORD="{}"',
    "env file": "NODE_ENV=production\nSECRET_KEY={}\nDEBUG=1",
    "one command": "API_KEY={} ./run.sh --fast",
    "PowerShell": "$env:AZURE_CLIENT_SECRET = '{}'",
    "YAML": "db:\n  user: app\n  password: {}\n  port: 5432",
    "YAML, quoted": "  apiKey: '{}'",
    "JSON": '{{"user": "ada", "password": "{}"}}',
    "JSON, close": '{{"client_secret":"{}","n":1}}',
    "JSON in JSON": '"{{\\"access_token\\": \\"{}\\"}}"',
    "JSON twice in JSON": '"\\"{{\\\\\\"refresh_token\\\\\\": \\\\\\"{}\\\\\\"}}\\""',
    "Python dict": "{{'passwd': '{}', 'x': 1}}",
    "Python argument": 'connect(host="h", password="{}")',
    "Python assignment": 'api_key = "{}"',
    "Python bytes": "SECRET = b'{}'",
    "JavaScript": "const cfg = {{ apiKey: '{}' }};",
    "template quote": "const authToken = `{}`;",
    "Go": 'token := "{}"',
    "Ruby": ":password => '{}'",
    "index": 'os.environ["OPENAI_API_KEY"] = "{}"',
    "TOML": 'private_key = "{}"',
    "ini": "[db]\npasswd={}\n",
    "XML": "<password>{}</password>",
    "XML attribute": '<add key="ApiKey" value="{}"/>',
    "flag": "tool --password {} --verbose",
    "flag with a sign": "tool --api-key={} --verbose",
    "flag, one dash": "tool -token {} run",
    "header": "X-Api-Key: {}",
    "curl header": "curl -H 'X-Auth-Token: {}' https://x.test",
    "bearer": "Authorization: Bearer {}",
    "bearer in JSON": '{{"Authorization": "Bearer {}"}}',
    "token scheme": "Authorization: token {}",
    "header without scheme": "authorization: {}",
    "digest": 'Authorization: Digest username="ada", realm="r", response="{}"',
    "proxy": "Proxy-Authorization: Basic {}",
    "cookie": "Cookie: theme=dark; session={}; lang=en",
    "set-cookie": "Set-Cookie: sid={}; Path=/; HttpOnly",
    "query": "GET /v1?access_token={}&page=2 HTTP/1.1",
    "form": "grant_type=password&username=ada&password={}&scope=x",
    "encoded form": "body=password%3D{}%26x%3D1",
    "signature": "https://x.test/f?X-Amz-Expires=60&X-Amz-Signature={}",
    "sas": "https://acc.blob.core.windows.net/c?sv=2022&sig={}&se=1",
    "connection string": "Server=h;Database=d;User Id=sa;Password={};Encrypt=yes",
    "pwd": "Server=h;Uid=sa;Pwd={};",
    "azure storage": "AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
    "service bus": "Endpoint=sb://x/;SharedAccessKeyName=k;SharedAccessKey={}",
    "postgres": "postgres://app:{}@db.internal:5432/app",
    "mongodb": "mongodb+srv://admin:{}@cluster0.mongodb.net/test?retryWrites=true",
    "redis": "redis://:{}@cache:6379/0",
    "git remote": "https://oauth2:{}@gitlab.com/x/y.git",
    "amqp": "amqps://u:{}@mq/vhost",
    "sshpass": "sshpass -p {} ssh root@h",
    "mysql": "mysql -u root -p{} app",
    "curl user": "curl -u admin:{} https://x.test",
    "docker login": "docker login -u ada -p {} registry.test",
    "redis-cli": "redis-cli -h h -a {} ping",
    "netrc": "machine h login ada password {}",
    "npmrc": "//registry.npmjs.org/:_authToken={}",
    "pip": "index-url = https://__token__:{}@pypi.test/simple",
    "docker config": '{{"auths": {{"r": {{"auth": "{}"}}}}}}',
    "otp link": "otpauth://totp/x?secret={}&issuer=y",
    "sentence": "the password is {} as agreed",
    "label": "API key: {}",
    "table": "| password | {} |",
    "list of arguments": '["tool", "--password", "{}"]',
    "header pair": '["Authorization", "Bearer {}"]',
    "typed field": '{{"name": "Authorization", "value": "{}"}}',
    "SQL": "CREATE USER app IDENTIFIED BY '{}'",
    "laravel": "APP_KEY=base64:{}",
    "aws": "aws_secret_access_key = {}",
    "numbered": "API_KEY_2={}",
    "kubernetes": "  stringData:\n    dbPassword: {}\n",
    "terraform": 'variable "db_password" {{ default = "{}" }}',
    "go env": 'os.Setenv("STRIPE_SECRET", "{}")',
    "getenv default": 'os.getenv("DB_PASSWORD", "{}")',
    "log": "2026-01-01 INFO login ok user=ada token={} ms=12",
    "logfmt": 'level=info msg="x" api_key={} n=1',
    "requests": 'requests.get(url, auth=("ada", "{}"))',
    "Dockerfile": "FROM x\nENV DB_PASSWORD {}\nRUN y",
    "YAML block": "password: |\n  {}\nnext: 1",
    "jdbc": "jdbc:mysql://h/x?user=a&password={}",
    "docker run": "docker run -e MYSQL_ROOT_PASSWORD={} mysql:8",
    "escaped env": '"A=1\\nGITHUB_TOKEN={}\\nB=2"',
}

VALUES = (_made("value", 24), "hunter2-" + _made("short", 6), _made("hex", 40, _HEX))


def _canaries() -> Iterator[Canary]:
    for name, (prefix, secret) in SHAPES.items():
        for place, put in IN_PLACES.items():
            yield Canary(f"{name}, {place}", secret, put(prefix + secret))
    for name, template in NAMED.items():
        for value in VALUES:
            yield Canary(f"{name}, {len(value)}", value, template.format(value))


CANARIES = tuple(_canaries())


def pieces(secret: str) -> set[str]:
    """Every stretch of eight characters of a secret, also as a link spells it."""
    spelled = {secret, quote(secret, safe="")}
    return {text[at : at + _PIECE] for text in spelled for at in range(max(1, len(text) - _PIECE + 1))}


def survivors(secret: str, text: str) -> set[str]:
    return {piece for piece in pieces(secret) if piece in text}


def test_there_are_more_than_two_hundred_canaries() -> None:
    assert len(CANARIES) > 200


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.label)
def test_no_piece_of_a_secret_survives(canary: Canary) -> None:
    masked = redact(canary.text)
    assert not survivors(canary.secret, masked), masked
    assert MASK in masked
    assert redact(masked) == masked


@pytest.mark.parametrize("name", tuple(SHAPES))
def test_no_piece_of_a_token_survives_in_a_value(name: str) -> None:
    prefix, secret = SHAPES[name]
    masked = redact_value({"outer": [{"text": f"see {prefix}{secret}", prefix + secret: 1}]})
    assert not survivors(secret, json.dumps(masked, ensure_ascii=False))


@pytest.mark.parametrize("canary", CANARIES[::7], ids=lambda canary: canary.label)
def test_no_piece_of_a_secret_survives_in_base64(canary: Canary) -> None:
    code = base64.b64encode(canary.text.encode()).decode()
    masked = redact(f"payload {code} end")
    assert masked == f"payload {MASK} end"


def test_none_of_them_is_overlooked_among_other_texts() -> None:
    """Also one that was cut off with its text: only at the end of a text can that be told."""
    around = ["Speed up the report client", "", "see order_handler.ts"]
    assert hold_no_secret(around) and hold_no_secret([])
    texts = [canary.text for canary in CANARIES] + [f"use {a}{b[:12]}" for a, b in SHAPES.values()]
    told = [text for text in texts if redact(text) != text]
    assert len(told) > 230
    for number, text in enumerate(told):
        assert not hold_no_secret([*around[: number % 4], text, *around[number % 4 :]]), text


def test_a_known_secret_is_masked_also_where_nothing_gives_it_away() -> None:
    values = [canary.secret for canary in CANARIES]
    masked = Redactor(values).redact("\n".join(values))
    assert not any(survivors(value, masked) for value in values)
