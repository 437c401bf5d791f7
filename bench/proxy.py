"""proxy: what it costs nginx to ask before it serves a file."""

from figures import Figure, ratio
from load import light, make_request, ITEM
from record import Page, table
from servers import Nginx, serving
from setup import column, interleaved
from verify import versions

FILE_BYTES = 1024
HEAD = ["location", "requests/s", "nginx CPU µs/request", "p402 CPU µs/request", "p50 µs", "p99 µs"]


class Both:
    """nginx and the product behind it, as one server: what a request costs both."""

    def __init__(self, name, nginx, product):
        self.name, self.port = name, nginx.port
        self._nginx, self._product = nginx, product

    def cpu_seconds(self):
        return self._nginx.cpu_seconds() + self._product.cpu_seconds()


def start_nginx(setup, folder, product):
    files = folder / "files"
    files.mkdir(parents=True)
    (files / "page.html").write_text("x" * FILE_BYTES)
    upstream = f"upstream p402 {{ server 127.0.0.1:{product.port}; keepalive 64; }}"
    return Nginx(setup, folder, f"""
  location /open/ {{ alias {files}/; }}
  location /guarded/ {{ alias {files}/; auth_request /ask; }}
  location = /ask {{ internal; proxy_pass http://p402/authz/default; proxy_pass_request_body off; proxy_http_version 1.1;
    proxy_set_header Content-Length ""; proxy_set_header Connection ""; }}
""", upstream)


def measure(setup, both, product, path, store):
    before = product.cpu_seconds()
    result = light(setup, both, make_request("GET", path, bearer=ITEM), store.key_file)
    product_us = (product.cpu_seconds() - before) / result["answered"] * 1e6
    return {**result, "product_us": product_us, "nginx_us": result["cpu_us"] - product_us}


def run(setup):
    page = Page("proxy", "nginx that asks before it serves a file", setup, versions(setup))
    page.add(f"nginx (one worker) serves a file of {FILE_BYTES:,} bytes: at once, and after `auth_request` with keep-alive "
             f"to p402. Both servers share one core. {setup.keys:,} different keys, {setup.connections} connections, "
             "p402_load at saturation.")
    with serving(setup) as (folder, store, product):
        nginx = start_nginx(setup, folder / "nginx", product)
        both = Both("nginx", nginx, product)
        results = interleaved(setup, "proxy", {
            path: (lambda path=path: measure(setup, both, product, f"{path}page.html", store))
            for path in ("/guarded/", "/open/")})
        nginx.stop()
    names = {"/guarded/": "asked first", "/open/": "served at once"}
    page.add(table(HEAD, [
        [names[path], Figure.of(column(rows, "rps")).text(), Figure.of(column(rows, "nginx_us")).text(2),
         Figure.of(column(rows, "product_us")).text(2), Figure.of(column(rows, "p50_us")).text(),
         Figure.of(column(rows, "p99_us")).text()] for path, rows in results.items()]))
    speed = ratio(column(results["/guarded/"], "rps"), column(results["/open/"], "rps"))
    share = Figure.of(r["product_us"] / r["cpu_us"] for r in results["/guarded/"])
    page.add(f"Requests/s asked ÷ at once: {speed.text(3)}. Of the CPU of an asked request, p402's part: {share.text(3)}.")
    return page
