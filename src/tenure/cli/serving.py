"""Commands that serve people, systems and agents, and the keys that let them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tenure.cli.options import AS_JSON, CONFIG, moment, settings
from tenure.cli.output import show
from tenure.core.errors import ConfigError, Problem


@click.group()
def keys() -> None:
    """Who may use the service: make, list and revoke its keys."""


@keys.command("create")
@CONFIG
@click.option("--name", required=True, help="Whose it is, or what for.")
@click.option("--scope", "scopes", multiple=True, help="read, score, feedback, admin; repeatable.")
@click.option("--owner", default=None, help="Only accounts of this owner.")
@click.option("--segment", default=None, help="Only accounts of this segment.")
@click.option("--expires", default=None, help="From when it is no use, e.g. 2027-01-01 (UTC).")
@AS_JSON
def create_key(config: Path, as_json: bool, **wish: Any) -> None:
    """Make a key, by default with the scope `read`; it is shown once."""
    from tenure.run import keys as runs

    scopes = wish["scopes"] or ("read",)
    limits = {name: wish[name] for name in ("owner", "segment")}
    expires_at = moment(wish["expires"], "--expires")
    result = runs.create_key(
        settings(config), wish["name"], scopes, expires_at=expires_at, **limits
    )
    show(
        result,
        [result["key"], "It is shown this once: keep it where secrets are."],
        as_json=as_json,
    )


@keys.command("list")
@CONFIG
@AS_JSON
def list_keys(config: Path, as_json: bool) -> None:
    """List the keys; not their secrets, which stand nowhere."""
    from tenure.run.keys import list_keys

    rows = list_keys(settings(config))
    lines = []
    for row in rows:
        parts = [row["key_id"], "active" if row["active"] else "ended ", ",".join(row["scopes"])]
        limits = [f"{name} {row[name]}" for name in ("owner", "segment") if row[name]]
        until = [f"expires {row['expires_at']}"] if row["expires_at"] else []
        lines.append("  ".join([*parts, row["name"], *limits, *until]))
    show({"keys": rows}, lines or ["no keys"], as_json=as_json)


@keys.command("revoke")
@CONFIG
@click.argument("key_id")
@AS_JSON
def revoke_key(config: Path, key_id: str, as_json: bool) -> None:
    """End a key and the sessions that it opened."""
    from tenure.run.keys import revoke_key

    result = revoke_key(settings(config), key_id)
    show(result, [f"{key_id} is revoked"], as_json=as_json)


@click.command()
@CONFIG
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=None, type=click.IntRange(1, 64), help="Processes.")
def serve(config: Path, port: int | None, workers: int | None) -> None:
    """Serve scores over HTTP until interrupted."""
    from tenure.service.api.serve import serve_forever

    serve_forever(config.resolve(), settings(config), port, workers)


@click.command()
@CONFIG
@AS_JSON
def build(config: Path, as_json: bool) -> None:
    """Make a Bento: the service with the champions inside, and only what serving needs."""
    from tenure.service.build import build_bento

    result = build_bento(config.resolve(), settings(config))
    models = ", ".join(f"{target} {version}" for target, version in result["models"].items())
    lines = [
        f"{result['tag']}: {models}",
        f"{result['path']}",
        f"wheel sha256 {result['wheel_sha256']}",
        f"next: docker build -f {result['path']}/env/docker/Dockerfile {result['path']}",
    ]
    show(result, lines, as_json=as_json)


@click.command()
@CONFIG
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--no-browser", is_flag=True, help="Open no browser.")
def review(config: Path, port: int | None, no_browser: bool) -> None:
    """Show the scored book to one analyst on this machine, in a browser."""
    from tenure.service.pages.review import review_forever

    review_forever(settings(config), port, browser=not no_browser)


@click.command()
@CONFIG
def mcp(config: Path) -> None:
    """Let an agent read the kept scores: Model Context Protocol, on stdin and stdout."""
    try:
        from tenure.service.agents import serve_agents
    except ModuleNotFoundError as error:
        fix = "pip install 'tenure[mcp]'"
        raise ConfigError(Problem("tenure mcp", "needs a package", str(error.name), fix)) from None
    serve_agents(settings(config))
