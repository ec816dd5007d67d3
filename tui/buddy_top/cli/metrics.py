"""`buddy-top metrics`: what runs record, served to Prometheus or printed once; and what to watch it with."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buddy_core.clock import Clock
from buddy_core.runs.lookup import check_runs_dir
from buddy_top.cli.output import DONE, print_lines, print_text
from buddy_top.cli.parser import Commands, OneLineParser, add_history, add_watch_runs, wrong_usage

if TYPE_CHECKING:
    from buddy_core.metrics.collector import MetricsCollector
    from buddy_core.observing.observer import Observer

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the service, with the exit code 128 + n."""


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add `metrics` to the commands."""
    metrics = commands.add_parser(
        "metrics",
        parents=[everywhere],
        allow_abbrev=False,
        help="serve /metrics for Prometheus",
        description="Follows the runs directory as the monitor does, and serves its numbers to Prometheus "
        "until interrupted. Only this machine can reach it unless --host says otherwise.",
    )
    metrics.add_argument(
        "--port", type=_port, default=9464, metavar="N", help="port to serve on (default 9464; 0: any)"
    )
    metrics.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="H",
        help="address to serve on (default 127.0.0.1; 0.0.0.0: all)",
    )
    metrics.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name that requests may be addressed to",
    )
    add_history(metrics)
    add_watch_runs(metrics)
    instead = metrics.add_mutually_exclusive_group()
    instead.add_argument(
        "--once", action="store_true", default=argparse.SUPPRESS, help="print the metrics once and exit"
    )
    instead.add_argument("--dashboard", action="store_true", help="print a dashboard for Grafana and exit")
    instead.add_argument("--alerts", action="store_true", help="print alert rules for Prometheus and exit")
    metrics.set_defaults(handler=_metrics)


def _metrics(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    if args.json and not args.dashboard:
        wrong_usage("metrics have a format of their own: leave out --json")
    if args.dashboard or args.alerts:
        from buddy_core.prometheus.shipped import alert_rules, dashboard

        print_text((dashboard() if args.dashboard else alert_rules()).rstrip("\n"))
        return DONE
    if args.once:
        return _print_once(args, runs_dir, clock)
    if os.path.lexists(runs_dir):
        check_runs_dir(runs_dir)
    return asyncio.run(_serve(args, runs_dir, clock))


def _observer(
    args: argparse.Namespace, runs_dir: Path, collector: MetricsCollector, clock: Clock
) -> Observer:
    from buddy_core.history.keeper import reading_history
    from buddy_core.observing.observer import Observer
    from buddy_top.config.load import gather

    choices = gather(args, os.environ)
    history = reading_history(choices.history, clock)
    return Observer(runs_dir, collector, clock=clock, watch_runs=choices.watch_runs, history=history)


def _print_once(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.metrics.collector import MetricsCollector
    from buddy_core.prometheus.exporter import PrometheusExporter
    from buddy_top.config.prices import prices_for

    check_runs_dir(runs_dir)
    collector = MetricsCollector(clock=clock, prices=prices_for(args))
    observer = _observer(args, runs_dir, collector, clock)
    observer.load()
    observer.close()
    # Line by line through the filter: a label may hold what a terminal would obey.
    print_lines(
        PrometheusExporter(collector, sources=observer.sources).export().removesuffix("\n").split("\n")
    )
    return DONE


async def _serve(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    """Observe and serve until a signal comes; gives 128 plus its number."""
    from buddy_core.prometheus.listening import listen

    loop = asyncio.get_running_loop()
    ended: asyncio.Future[signal.Signals] = loop.create_future()
    for number in _ENDING:
        loop.add_signal_handler(number, _settle, ended, number)
    # The port comes first, so that one in use is known at once; whoever connects now waits for the first reading.
    with listen(args.host, args.port) as listener:
        serving = asyncio.create_task(_observe_and_serve(listener, args, runs_dir, clock))
        either: set[asyncio.Future[Any]] = {serving, ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    return 128 + await ended


async def _observe_and_serve(
    listener: socket.socket, args: argparse.Namespace, runs_dir: Path, clock: Clock
) -> None:
    """Answer scrapes from when everything is read: half of it first would look like a sudden expense."""
    from buddy_core.metrics.collector import MetricsCollector
    from buddy_core.prometheus.exporter import PrometheusExporter
    from buddy_core.prometheus.server import MetricsServer
    from buddy_top.config.prices import prices_for

    collector = MetricsCollector(clock=clock, prices=prices_for(args))
    observer = _observer(args, runs_dir, collector, clock)
    exporter = PrometheusExporter(collector, exemplars=True, sources=observer.sources)
    with contextlib.ExitStack() as stack:
        stack.callback(observer.close)

        def serve_when_read() -> None:
            if not observer.sources().complete or server:
                return
            server.append(MetricsServer(exporter, listener, names=(args.host, *args.name)))
            stack.enter_context(server[0])
            print_lines([f"serving {server[0].url} from {runs_dir}; Ctrl+C ends it"])

        server: list[MetricsServer] = []
        await observer.follow(serve_when_read)


def _settle(ended: asyncio.Future[signal.Signals], number: signal.Signals) -> None:
    if not ended.done():
        ended.set_result(number)


def _port(text: str) -> int:
    """From 0 to 65535."""
    if not text.isdecimal() or int(text[:9]) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)
