# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A hub behind somebody else's front door, with HTTPS: people sign in elsewhere, and compute from their own machines.

HUB_CHARTS names a folder with the packaged charts where the public ones cannot be had, CHROMIUM a browser, E2E_TRAEFIK
an image of Traefik. With the CRDs of the Gateway API in the cluster there is a route of it too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import Error, Page, expect, sync_playwright

from certificates import Authority
from chromium import launched
from cluster_hub import ClusterHub, until
from detour import Detour
from front_door import FrontDoor, certificate
from site_run import address_for_pods
from stand_in import StandIn

HOST = "hub.example.org"
URL = f"https://{HOST}/compute/"
ADA = "ada@planetary.onmicrosoft.com"
PASSWORD = "ada's"
SECRET = "the identity service's"
IDENTITY = "https://planetarycomputer.stand-in.invalid/id"
BUNDLE = "/usr/local/etc/stand-in/ca-bundle.pem"
DASK_PORT = 9443
START = 180.0  # seconds
# What somebody does on a machine of their own; the gateway's address, that of the schedulers.
COMPUTE = """
import socket, ssl, sys, dask
from urllib.parse import urlsplit
from dask_gateway import Gateway

dask.config.set({"gateway.http-client.proxy": True})
gateway = Gateway(sys.argv[1], proxy_address=sys.argv[2], auth="jupyterhub")
cluster = gateway.new_cluster(shutdown_on_close=True)
print(cluster.scheduler_address)

# Whoever knows the address and the name of a cluster, and has no certificate of it.
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
way = urlsplit(sys.argv[2])
try:
    with socket.create_connection((way.hostname, way.port), 30) as plain:
        with context.wrap_socket(plain, server_hostname=f"daskgateway-{cluster.name}") as stranger:
            print("stranger let in", stranger.getpeercert(True) is not None, stranger.recv(1))
except ssl.SSLError as error:
    print("stranger", error.reason)

cluster.scale(1)
with cluster.get_client() as client:
    print("sum", client.submit(sum, range(1000)).result(120))
cluster.shutdown()
"""


class Hub(ClusterHub):
    """A hub that is reached through a front door only.

    :ivar environment: of clients that are outside of the cluster
    """

    def __init__(
        self, owner: Path, directory: Path, front: FrontDoor, authority: Authority, stand_in: StandIn, detour: Detour
    ) -> None:
        super().__init__(owner, directory)
        self._url = URL.rstrip("/")
        self.front = front
        self.bundle = directory / "authority.pem"
        self.bundle.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
        server = json.loads(self.kubectl("config", "view", "--raw", "--minify", "-o", "json"))["clusters"][0]
        past = ("127.0.0.1", urlsplit(server["cluster"]["server"]).hostname or "")
        self.environment = {
            "HTTPS_PROXY": detour.url,
            "NO_PROXY": ",".join(past),
            "REQUESTS_CA_BUNDLE": str(self.bundle),
            "SSL_CERT_FILE": str(self.bundle),
        }
        del self.variables["daskhub_service_type"]
        self.variables |= {
            "hub_url": URL,
            "hub_base_url": "/compute/",
            "hub_task_environment": self.environment,
            "hub_authentication": {
                "type": "generic-oauth",
                "login_service": "planetarycomputer",
                "client_id": "hub",
                "authorize_url": f"{IDENTITY}/o/authorize/",
                "token_url": f"{IDENTITY}/o/token/",
                "userdata_url": f"{IDENTITY}/users/userdata",
                "allowed_users": [ADA],
            },
            "secrets_given": {"id-client-secret": SECRET},
            "daskhub_ingress": {"enabled": True, "class": front.name, "tls_secret": "front-tls"},
            "daskhub_dask_gateway_public": {"enabled": True, "port": DASK_PORT},
            # The way of the hub to the identity service, as to a company's proxy.
            "daskhub_hub_environment": {
                "HTTPS_PROXY": stand_in.env["HTTPS_PROXY"],
                "NO_PROXY": "$(KUBERNETES_SERVICE_HOST)",
                "REQUESTS_CA_BUNDLE": BUNDLE,
                "SSL_CERT_FILE": BUNDLE,
            },
            "daskhub_network_policies_hub_egress": [
                {"ports": [{"port": urlsplit(stand_in.env["HTTPS_PROXY"]).port, "protocol": "TCP"}]}
            ],
        }
        known = Path(stand_in.env["REQUESTS_CA_BUNDLE"]).read_text(encoding="utf-8")
        own = "-----BEGIN CERTIFICATE-----" + known.split("-----BEGIN CERTIFICATE-----")[-1]
        self.variables["daskhub_values"]["jupyterhub"]["hub"]["extraFiles"] = {
            "stand-in": {"mountPath": BUNDLE, "stringData": own}
        }
        stand_in.dial("POST", "/people", {"email": ADA, "password": PASSWORD, "name": "Ada", "pk": 7})
        client = {"secret": SECRET, "redirect_uris": [f"{URL}hub/oauth_callback"]}
        stand_in.dial("POST", "/identity", {"clients": {"hub": client}})

    def get(self, url: str, **headers: str) -> requests.Response:
        """What somebody outside gets."""
        session = requests.Session()
        session.trust_env = False
        session.proxies = {"https": self.environment["HTTPS_PROXY"]}
        return session.get(url, headers=headers, verify=str(self.bundle), timeout=10)

    def outside(self, token: str) -> subprocess.CompletedProcess[str]:
        """Run COMPUTE, as somebody with this token."""
        rest = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTERHUB_", "DASK_"))}
        return subprocess.run(
            [sys.executable, "-c", COMPUTE, f"{URL}services/dask-gateway", f"gateway://{self.dask_address()}"],
            env={**rest, **self.environment, "JUPYTERHUB_API_TOKEN": token},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def dask_address(self) -> str:
        """Where schedulers are reached from outside."""

        def given() -> str:
            (service,) = self.objects("services", f"--field-selector=metadata.name={self.release}-dask-public")
            (at,) = service["status"]["loadBalancer"].get("ingress") or [{}]
            return at.get("ip") or at.get("hostname") or ""

        return f"{until(given, 'the load balancer of Dask has an address')}:{DASK_PORT}"


@pytest.fixture(scope="module")
def gateways(owner: Path) -> bool:
    """Whether the cluster has the Gateway API."""
    words = ["kubectl", f"--kubeconfig={owner}", "get", "crd", "httproutes.gateway.networking.k8s.io"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.root("Somebody's authority")


@pytest.fixture(scope="module")
def hub(owner: Path, tmp_path_factory: pytest.TempPathFactory, gateways: bool, authority: Authority) -> Iterator[Hub]:
    """Deployed by the playbooks."""
    directory = tmp_path_factory.mktemp("front-door")

    def kubectl(*words: str, given: str | None = None) -> str:
        command = ["kubectl", f"--kubeconfig={owner}", *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=180, check=True).stdout

    with ExitStack() as undone:
        stand_in = StandIn(directory / "azure").start("--latency", "0", "--listen", address_for_pods(owner))
        undone.callback(stand_in.stop)
        front = FrontDoor(kubectl, gateways)
        undone.callback(front.remove)
        front.start()
        detour = undone.enter_context(Detour({HOST: front.ways()["websecure"]}, stand_in.env["HTTPS_PROXY"]))
        found = Hub(owner, directory, front, authority, stand_in, detour)
        undone.callback(found.remove)
        found.kubectl("create", "namespace", found.namespace)
        found.kubectl("apply", "-f", "-", given=json.dumps(certificate(authority, HOST, "front-tls")))
        found.play("secrets")
        found.play("daskhub")
        yield found


@pytest.fixture(scope="module")
def page(hub: Hub) -> Iterator[Page]:
    """A browser. It has never heard of these authorities; whether the hub's certificate is good, the play has asked."""
    with sync_playwright() as playwright, launched(playwright) as browser:
        context = browser.new_context(proxy={"server": hub.environment["HTTPS_PROXY"]}, ignore_https_errors=True)
        yield context.new_page()
        context.close()


def picture(page: Page, name: str) -> None:
    folder = Path(__file__).parents[2] / ".sandbox/results/browser"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"front-door-{name}.png")


def test_nothing_else_leads_to_the_hub(hub: Hub) -> None:
    open_to_others = {
        one["metadata"]["name"]: one["spec"]["type"]
        for one in hub.objects("services")
        if one["spec"]["type"] != "ClusterIP"
    }
    assert open_to_others == {f"{hub.release}-dask-public": "LoadBalancer"}
    # What comes in clear is sent to HTTPS.
    address, port = hub.front.ways()["web"]
    answer = requests.get(
        f"http://{address}:{port}/compute/", headers={"Host": HOST}, allow_redirects=False, timeout=10
    )
    assert (answer.status_code, answer.headers["Location"]) == (301, URL)


def patiently(act: Callable[[], object]) -> None:
    """Do it until it is done. Where a node is this machine, each new pod is a change of the network to the browser,
    which then gives up what it is loading (ERR_NETWORK_CHANGED).
    """
    end = time.monotonic() + START
    while True:
        try:
            act()
            return
        except Error:
            if time.monotonic() > end:
                raise


def sign_in(page: Page) -> None:
    def act() -> None:
        page.context.clear_cookies()
        page.goto(URL)
        page.get_by_role("button", name=re.compile("Sign in with")).click()
        page.wait_for_url(f"{IDENTITY}/**")
        picture(page, "provider")
        page.locator("[name=username]").fill(ADA)
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{URL}**")

    patiently(act)
    picture(page, "in")


def work(page: Page) -> None:
    """Start a server, unless it runs, and see what a kernel answers, through a websocket."""

    def begin() -> None:
        # Where the server runs already, this leads there.
        page.goto(f"{URL}hub/spawn")
        start = page.get_by_role("button", name="Start")
        if start.count():
            start.click()
        page.wait_for_url(re.compile(r"/user/.*/lab"))

    def launch() -> None:
        page.goto(f"{URL}user/{ADA}/lab?reset")
        page.locator(".jp-LauncherCard[data-category=Console]").first.click()

    patiently(begin)
    patiently(launch)
    expect(page.locator(".jp-CodeConsole")).to_contain_text("IPython")
    prompt = page.locator(".jp-CodeConsole-promptCell .cm-content")
    prompt.click()
    prompt.press_sequentially("print(6 * 7)")
    prompt.press("Shift+Enter")
    expect(page.locator(".jp-CodeConsole .jp-OutputArea-output").last).to_have_text("42\n", timeout=60_000)
    picture(page, "kernel")


@pytest.mark.usefixtures("hub")
def test_somebody_signs_in_and_works(page: Page) -> None:
    sign_in(page)
    cookies = [one for one in page.context.cookies(URL) if one["name"].startswith("jupyterhub-")]
    assert cookies and all(one["secure"] for one in cookies), cookies
    work(page)


def token(page: Page) -> str:
    """What somebody gets on the page for tokens."""
    shown = page.locator("#token-result")

    def given() -> str:
        patiently(lambda: page.goto(f"{URL}hub/token"))
        page.get_by_role("button", name=re.compile("Request new API token")).click()
        with suppress(AssertionError):
            # A click that comes before the page's scripts, and a request that the network loses, come to nothing.
            expect(shown).to_have_text(re.compile(r"\S{20,}"), timeout=5000)
        return shown.inner_text().strip()

    return str(until(given, "the page shows a token"))


def test_dask_from_a_machine_of_ones_own(hub: Hub, page: Page) -> None:
    done = hub.outside(token(page))
    assert done.returncode == 0, done.stdout + done.stderr
    address, stranger, result = done.stdout.splitlines()
    assert address.startswith(f"gateway://{hub.dask_address()}/")
    assert stranger == "stranger TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert result == "sum 499500"


@pytest.mark.parametrize("given", [{}, {"Authorization": "token 0123456789abcdef0123456789abcdef"}])
def test_dask_is_closed_to_strangers(hub: Hub, given: dict[str, str]) -> None:
    assert hub.get(f"{URL}services/dask-gateway/api/v1/clusters/", **given).status_code == 401


def test_the_same_by_the_gateway_api(hub: Hub, page: Page, gateways: bool, authority: Authority) -> None:
    if not gateways:
        pytest.skip("the cluster has no CRDs of the Gateway API")
    gateway = hub.front.serve_gateway(certificate(authority, HOST, "gateway-tls"))
    hub.variables["daskhub_ingress"] = {"enabled": False}
    hub.variables["daskhub_http_route"] = {"enabled": True, "gateway": gateway}
    hub.play("daskhub")
    assert hub.objects("ingresses") == []
    # What is beside the hub is not the hub's.
    assert hub.get(f"https://{HOST}/").status_code == 404
    sign_in(page)
    work(page)
