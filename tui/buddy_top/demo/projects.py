"""What the demonstration agent works on: four code bases with their files, commands and ways to fail."""

from __future__ import annotations

from dataclasses import dataclass

from buddy_top.demo.models import GPT, HAIKU, MINI, OPUS, SONNET, Model


@dataclass(frozen=True, slots=True)
class Project:
    """One code base. Paths are relative to `cwd`."""

    cwd: str
    language: str
    models: tuple[Model, ...]
    """The models its people use, the usual one first."""
    bugs: tuple[str, ...]
    features: tuple[str, ...]
    chores: tuple[str, ...]
    """Objectives of each kind."""
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    symbols: tuple[str, ...]
    """What it greps for."""
    test_command: str
    """With `{test}` for one test file."""
    check_command: str
    install_command: str
    test_failures: tuple[str, ...]
    check_failures: tuple[str, ...]


SHOP = Project(
    cwd="/home/dev/src/shop-api",
    language="python",
    models=(SONNET, SONNET, OPUS),
    bugs=(
        "Fix the flaky login test",
        "Orders placed at midnight get the wrong date",
        "Discount codes are applied twice after a retry",
        "The /health endpoint answers 500 while Redis restarts",
    ),
    features=(
        "Add rate limiting to the public API",
        "Let customers download their invoices as PDF",
        "Stream the order export instead of building it in memory",
    ),
    chores=(
        "Upgrade SQLAlchemy from 1.4 to 2.0",
        "Replace unittest.mock patches in tests/orders with fixtures",
        "Write the changelog for 2.8.0",
    ),
    sources=(
        "shop/auth/token.py",
        "shop/orders/models.py",
        "shop/orders/service.py",
        "shop/pricing/discounts.py",
        "shop/api/middleware.py",
        "shop/api/routes/invoices.py",
        "shop/settings.py",
    ),
    tests=(
        "tests/auth/test_login.py",
        "tests/orders/test_service.py",
        "tests/pricing/test_discounts.py",
        "tests/api/test_rate_limit.py",
    ),
    symbols=("def apply_discount", "utcnow\\(", "class RateLimiter", "SELECT .* FOR UPDATE", "@pytest.fixture"),
    test_command="pytest -q {test} --maxfail=3",
    check_command="ruff check shop tests && mypy shop",
    install_command="pip install -e '.[test]' --quiet",
    test_failures=(
        "Exit code 1\nE   AssertionError: assert datetime.date(2026, 1, 31) == datetime.date(2026, 2, 1)\n"
        "FAILED {test}::test_midnight_order - AssertionError\n1 failed, 46 passed in 8.31s",
        "Exit code 1\nE   sqlalchemy.exc.InvalidRequestError: This Session's transaction has been rolled back\n"
        "FAILED {test}::test_retry_is_idempotent\n2 failed, 31 passed in 12.04s",
        "Exit code 1\nE   fixture 'redis_url' not found\nERROR {test}::test_burst - fixture not found\n"
        "1 error in 0.84s",
    ),
    check_failures=(
        "Exit code 1\nshop/api/middleware.py:48: error: Incompatible return value type (got \"None\", "
        "expected \"Response\")  [return-value]\nFound 1 error in 1 file (checked 118 source files)",
        "Exit code 1\nshop/orders/service.py:7:1: F401 `decimal.Decimal` imported but unused\nFound 1 error.",
    ),
)

CHECKOUT = Project(
    cwd="/home/dev/src/web-checkout",
    language="typescript",
    models=(GPT, GPT, MINI),
    bugs=(
        "The cart badge shows the old count after going back",
        "Safari loses the delivery address on submit",
        "Prices jump when the currency menu opens",
    ),
    features=(
        "Add express checkout with saved cards",
        "Show delivery dates before payment",
        "Remember collapsed sections of the order summary",
    ),
    chores=(
        "Move the checkout forms to React 19 actions",
        "Cut the bundle of /checkout below 180 kB",
        "Explain why the end-to-end tests take eleven minutes",
    ),
    sources=(
        "src/cart/useCart.ts",
        "src/cart/CartBadge.tsx",
        "src/checkout/AddressForm.tsx",
        "src/checkout/payment.ts",
        "src/lib/money.ts",
        "vite.config.ts",
    ),
    tests=("src/cart/useCart.test.ts", "src/checkout/AddressForm.test.tsx", "e2e/checkout.spec.ts"),
    symbols=("useEffect\\(\\(\\) =>", "formatMoney\\(", "data-testid=", "export type Address", "TODO\\(checkout\\)"),
    test_command="npx vitest run {test}",
    check_command="npx tsc --noEmit && npx eslint src --max-warnings 0",
    install_command="npm ci --no-audit --no-fund",
    test_failures=(
        "Exit code 1\n FAIL  {test} > keeps the address when the tab is hidden\n"
        "TestingLibraryElementError: Unable to find an element with the text: Hauptstraße 12\n"
        " Test Files  1 failed (1)\n      Tests  1 failed | 22 passed (23)",
        "Exit code 1\n FAIL  {test}\nError: Test timed out in 5000ms.\n      Tests  1 failed | 8 passed (9)",
    ),
    check_failures=(
        "Exit code 2\nsrc/checkout/payment.ts(61,9): error TS2345: Argument of type 'string | undefined' is not "
        "assignable to parameter of type 'string'.",
        "Exit code 1\nsrc/cart/useCart.ts\n  34:6  error  React Hook useEffect has a missing dependency: 'cartId'",
    ),
)

LEDGER = Project(
    cwd="/home/dev/src/ledger",
    language="go",
    models=(SONNET, HAIKU, GPT),
    bugs=(
        "Statements are one cent off after a currency conversion",
        "The importer leaks a goroutine for every failed file",
        "Duplicate postings when two workers take the same batch",
    ),
    features=(
        "Add a dry-run mode to the reconciliation job",
        "Expose balances by cost centre over gRPC",
    ),
    chores=(
        "Find out why the nightly import got slower in March",
        "Bump the Go version to 1.26 and fix what breaks",
        "Document the posting rules for new colleagues",
    ),
    sources=(
        "internal/posting/posting.go",
        "internal/posting/rounding.go",
        "internal/importer/worker.go",
        "internal/store/postgres.go",
        "cmd/ledger/reconcile.go",
    ),
    tests=("./internal/posting/...", "./internal/importer/...", "./internal/store/..."),
    symbols=("func Round", "go func\\(", "context.Background\\(\\)", "sql.ErrNoRows", "decimal\\.New"),
    test_command="go test -race {test}",
    check_command="golangci-lint run --timeout 3m",
    install_command="go mod download",
    test_failures=(
        "Exit code 1\n--- FAIL: TestConvertRoundsHalfToEven (0.00s)\n    rounding_test.go:57: got 10.35, want 10.34\n"
        "FAIL\tledger/internal/posting\t0.412s",
        "Exit code 66\nWARNING: DATA RACE\nWrite at 0x00c0001a4018 by goroutine 34:\n"
        "  ledger/internal/importer.(*Worker).run()\nFAIL\tledger/internal/importer\t2.207s",
    ),
    check_failures=(
        "Exit code 1\ninternal/importer/worker.go:88:3: lostcancel: the cancel function is not used on all paths",
        "Exit code 1\n# ledger/internal/store\ninternal/store/postgres.go:141:22: cannot use id (variable of type int64) "
        "as string value in argument to q.Lock",
    ),
)

GATEWAY = Project(
    cwd="/home/dev/src/gateway",
    language="rust",
    models=(OPUS, SONNET, GPT),
    bugs=(
        "Keep-alive connections are closed after every 503",
        "The config watcher misses renames on overlayfs",
    ),
    features=(
        "Hot-reload TLS certificates without dropping connections",
        "Add a p99 latency budget to the circuit breaker",
    ),
    chores=(
        "Review the retry policy for unbounded backoff",
        "Replace the hand-written header parser with httparse",
    ),
    sources=("src/proxy/upstream.rs", "src/proxy/retry.rs", "src/config/watch.rs", "src/tls.rs", "Cargo.toml"),
    tests=("proxy::", "config::watch", "tls::reload"),
    symbols=("impl Drop for", "\\.unwrap\\(\\)", "tokio::spawn", "StatusCode::SERVICE_UNAVAILABLE"),
    test_command="cargo test {test}",
    check_command="cargo clippy --all-targets -- -D warnings",
    install_command="cargo fetch --locked",
    test_failures=(
        "Exit code 101\nthread 'proxy::retry::tests::gives_up' panicked at src/proxy/retry.rs:214:9:\n"
        "assertion `left == right` failed\n  left: 7\n right: 5\ntest result: FAILED. 38 passed; 1 failed",
        "Exit code 101\nerror[E0502]: cannot borrow `self.pool` as mutable because it is also borrowed as immutable\n"
        "   --> src/proxy/upstream.rs:172:13\nerror: could not compile `gateway` (lib test)",
    ),
    check_failures=(
        "Exit code 101\nerror: this `MutexGuard` is held across an await point\n  --> src/config/watch.rs:93:13",
    ),
)

PROJECTS = (SHOP, CHECKOUT, LEDGER, GATEWAY)
"""Every project, in a fixed order."""
