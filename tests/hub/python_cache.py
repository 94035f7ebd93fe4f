"""The cache, both ways, with Python's own client.

    python tests/hub/python_cache.py write
        lets huggingface_hub fill tests/hub/python-cache from a small hub in this process; the test
        `a_cache_that_python_filled_needs_no_network` reads it.
    python tests/hub/python_cache.py check target/release/deps/sources-…
        lets ensayo's client (the test binary named) fill a cache from the same hub, and huggingface_hub read it.

Needs `pip install huggingface_hub`. Nothing beyond loopback is asked.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789012345678901234567890123456789"
REPOSITORY = "owner/model"
FILES = {
    "config.json": b'{"model_type":"roberta","hidden_size":8}',
    "tokenizer.json": b'{"version":"1.0"}',
    "tokenizer_config.json": b"{}",
    "1_Pooling/config.json": b'{"pooling_mode_mean_tokens":true}',
    "model.safetensors": bytes(range(256)) * 30,
}
LARGE = 5000
FIXTURE = Path(__file__).parent / "python-cache"


def git(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(BaseHTTPRequestHandler):
    asked = []
    # Large files are on another host, whose redirect Python's client reads and does not follow at first.
    elsewhere = ""

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, with_body):
        self.asked.append(f"{self.command} {self.path}")
        path = self.path.split("?")[0]
        prefix = f"/{REPOSITORY}/resolve/"
        if path.startswith("/api/models/"):
            siblings = []
            for name, content in FILES.items():
                entry = {"rfilename": name, "size": len(content), "blobId": git(content)}
                if len(content) > LARGE:
                    entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
                siblings.append(entry)
            body = json.dumps({"_id": "1", "id": REPOSITORY, "sha": COMMIT, "private": False, "tags": [], "downloads": 0, "likes": 0, "siblings": siblings})
            return self.send(200, {"Content-Type": "application/json"}, body.encode(), with_body)
        if path.startswith("/cdn/"):
            content = next(c for c in FILES.values() if hashlib.sha256(c).hexdigest() == path[5:])
            return self.send(200, {}, content, with_body)
        if path.startswith(prefix):
            name = path[len(prefix):].split("/", 1)[1]
            content = FILES.get(name)
            if content is None:
                return self.send(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b"", with_body)
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{git(content)}"'}
            if len(content) <= LARGE:
                return self.send(200, headers, content, with_body)
            sha = hashlib.sha256(content).hexdigest()
            headers |= {"X-Linked-Etag": f'"{sha}"', "X-Linked-Size": str(len(content)), "Location": f"{self.elsewhere}/cdn/{sha}"}
            return self.send(302, headers, b"", with_body)
        return self.send(404, {"X-Error-Code": "RepoNotFound"}, b"", with_body)

    def send(self, status, headers, body, with_body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def start():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def write(endpoint):
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    shutil.rmtree(FIXTURE, ignore_errors=True)
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]:
        hf_hub_download(REPOSITORY, name, cache_dir=FIXTURE, endpoint=endpoint)
    try:
        hf_hub_download(REPOSITORY, "special_tokens_map.json", cache_dir=FIXTURE, endpoint=endpoint)
        raise SystemExit("there is no such file")
    except EntryNotFoundError:
        pass
    # Locks belong to processes.
    shutil.rmtree(FIXTURE / ".locks")
    print("\n".join(sorted(str(p.relative_to(FIXTURE)) for p in FIXTURE.rglob("*") if not p.is_dir())))


def check(endpoint, binary):
    from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache
    from huggingface_hub.file_download import _CACHED_NO_EXIST

    with tempfile.TemporaryDirectory() as cache:
        variables = {**os.environ, "ENSAYO_TEST_ENDPOINT": endpoint, "ENSAYO_TEST_CACHE": cache}
        subprocess.run([binary, "--exact", "hub::children::child"], env=variables, check=True, stdout=subprocess.DEVNULL)
        folder = Path(snapshot_download(REPOSITORY, cache_dir=cache, local_files_only=True))
        names = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
        for name in names:
            assert (folder / name).read_bytes() == FILES[name], name
            assert try_to_load_from_cache(REPOSITORY, name, cache_dir=cache) == str(folder / name)
        missing = try_to_load_from_cache(REPOSITORY, "special_tokens_map.json", cache_dir=cache)
        assert missing is _CACHED_NO_EXIST, missing
        Hub.asked.clear()
        for name in names:
            hf_hub_download(REPOSITORY, name, cache_dir=cache, endpoint=endpoint)
        assert not [asked for asked in Hub.asked if asked.startswith("GET")], Hub.asked
        report = scan_cache_dir(cache)
        assert not report.warnings, report.warnings
        [repository] = report.repos
        [revision] = repository.revisions
        assert revision.commit_hash == COMMIT and revision.refs == frozenset({"main"})
        assert {file.file_name for file in revision.files} == set(names)
    print("Python reads ensayo's cache, and asks for nothing that is in it.")


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    Hub.elsewhere = start()
    address = start()
    if sys.argv[1:2] == ["write"]:
        write(address)
    elif len(sys.argv) == 3 and sys.argv[1] == "check":
        check(address, sys.argv[2])
    else:
        raise SystemExit(__doc__)
