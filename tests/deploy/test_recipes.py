"""What can be known of the container recipes without a container: that they fit the package."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from tenure.cli import cli
from tenure.core.config import Config, load_config
from tenure.service.build import write_wheel

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "configs" / "deploy"
NAMES = ("Dockerfile", "compose.yaml", "kubernetes.yaml", "tenure.yaml", "databases.sql")


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def images() -> dict[str, str]:
    """Name of each image → the stage that it is, as the Dockerfile's first lines build them."""
    text = (DEPLOY / "Dockerfile").read_text()
    built = re.findall(r"^#   docker build (.*) \.", text, re.MULTILINE)
    stages = [rest.partition(" AS ")[2] for name, rest in instructions() if name == "FROM"]
    named = {}
    for options in map(str.split, built):
        stage = options[options.index("--target") + 1] if "--target" in options else stages[-1]
        assert stage in stages
        named[options[options.index("-t") + 1]] = stage
    return named


def containers(manifest: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each container with the spec of its pod."""
    spec = manifest["spec"]
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    for container in pod["containers"]:
        yield container, pod


def commands() -> Iterator[list[str]]:
    """Every command line of `tenure` in the recipes."""
    (cmd,) = (rest for name, rest in instructions() if name == "CMD")
    yield list(yaml.safe_load(cmd))
    for service in compose()["services"].values():
        if service["image"] in images() and "entrypoint" not in service:
            yield list(service["command"])
    for manifest in manifests():
        if manifest["kind"] in {"Deployment", "CronJob"}:
            for container, _ in containers(manifest):
                yield list(container["args"])
    for line in (DEPLOY / "compose.yaml").read_text().splitlines():
        if match := re.search(r"# .* run --rm tenure (.*)", line):
            yield shlex.split(match.group(1))


@pytest.mark.parametrize("arguments", list(commands()), ids=" ".join)
def test_every_command_of_the_recipes_is_one_of_ours(arguments: list[str]) -> None:
    if arguments == ["--help"]:
        return
    command: Any = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.get_command(context, name)
        assert command is not None, name
    command.make_context(command.name, arguments)


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("POSTGRES_PASSWORD", "secret1")
    return load_config(DEPLOY / "tenure.yaml")


def test_the_config_is_valid_and_agrees_with_the_recipes(config: Config) -> None:
    assert config.store.url == "postgresql+psycopg://tenure:secret1@postgres:5432/tenure"
    assert config.service.host == "0.0.0.0"
    services = compose()["services"]
    assert services["postgres"]["environment"]["POSTGRES_USER"] == "tenure"
    host = str(config.tracking.uri).removeprefix("http://").split(":")
    assert host[0] in services
    assert f"--port={host[1]}" in services["mlflow"]["command"]
    assert "secret1" not in config.model_dump_json()


def test_ports_and_folders_agree(config: Config) -> None:
    port = config.service.port
    assert ("EXPOSE", str(port)) in instructions()
    assert compose()["services"]["service"]["ports"][0].endswith(f":{port}")
    service, deployment, *_ = manifests()
    assert service["spec"]["ports"][0]["targetPort"] == port
    for manifest in manifests():
        if manifest["kind"] not in {"Deployment", "CronJob"}:
            continue
        for container, pod in containers(manifest):
            mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
            folders = (config.data.path, str(config.paths.models), str(config.paths.runs))
            assert set(folders) <= set(mounts)
            assert {mount["name"] for mount in mounts.values()} == {
                volume["name"] for volume in pod["volumes"]
            }
            assert pod["securityContext"]["runAsNonRoot"]
    mounted = {
        line.split(":")[-2] if line.endswith(":ro") else line.split(":")[-1]
        for line in compose()["services"]["service"]["volumes"]
    }
    assert {"/srv/tenure.yaml", config.data.path, str(config.paths.models)} <= mounted
    ((container, _),) = containers(deployment)
    probes = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness")}
    assert probes == {"/livez"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port}


def test_the_image_takes_files_that_exist_and_runs_as_nobody() -> None:
    names = [rest.split()[:-1] for name, rest in instructions() if name == "COPY"]
    sources = [source for parts in names if not parts[0].startswith("--from") for source in parts]
    assert sources
    assert all((ROOT / source).exists() for source in sources)
    users = [rest for name, rest in instructions() if name == "USER"]
    assert users == ["10001"]
    assert ("ENTRYPOINT", '["tenure"]') in instructions()


def test_the_image_for_serving_holds_what_serving_needs() -> None:
    assert images() == {"tenure": "", "tenure-service": "service"}
    services = compose()["services"]
    assert services["service"]["image"] == "tenure-service"
    assert services["service"]["build"]["target"] == "service"
    _, deployment, cron, *_ = manifests()
    used = [next(containers(one))[0]["image"] for one in (deployment, cron)]
    assert used == ["tenure-service", "tenure"]
    (written,) = (
        re.search(r'python -c "(.*?)"', rest)
        for name, rest in instructions()
        if "python -c" in rest
    )
    assert written is not None
    compile(written[1], "Dockerfile", "exec")
    assert callable(write_wheel)
    assert f"import {write_wheel.__name__};" in written[1]


def test_every_file_of_the_recipes_exists_and_holds_no_secret() -> None:
    assert all((DEPLOY / name).is_file() for name in NAMES)
    example = (DEPLOY / ".env.example").read_text()
    wanted = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert wanted == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    assert "POSTGRES_PASSWORD=\n" in example
    for line in compose()["x-tenure"]["volumes"]:
        if line.startswith("./"):
            assert (DEPLOY / line.split(":")[0]).is_file()


def test_the_services_start_after_what_they_need() -> None:
    services = compose()["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        named = (line.split(":")[0] for line in service.get("volumes", ()))
        assert {name for name in named if name.isalpha()} <= set(compose()["volumes"])
    assert services["service"]["deploy"]["replicas"] == 2
