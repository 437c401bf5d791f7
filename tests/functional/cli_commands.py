"""The command line: every command, exit codes, --json, and raw keys that never touch argv (C2 to C5)."""

import json
import os
import pty
import re
import stat
import subprocess

import pytest

from support.formats import KEY_ID, fake_raw_key, is_raw_key
from support.server import P402_BIN, clean_environment, run_p402

DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3


@pytest.fixture
def cli(server, tmp_path):
    """Runs a command against the server, as its first key."""
    def run(*arguments, key=None, stdin="", env=None, **options):
        environment = {"P402_URL": server.url, "P402_API_KEY": key or server.root_key,
                       "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), **(env or {})}
        return run_p402(*arguments, stdin=stdin, env=environment, **options)
    return run


def created(done):
    assert done.returncode == DONE, done.stderr
    return json.loads(done.stdout)


def test_C3_a_key_from_birth_to_end(cli):
    made = created(cli("keys", "create", "production-agent-v2", "--json"))
    assert KEY_ID.fullmatch(made["id"]) and is_raw_key(made["key"])

    shown = created(cli("keys", "get", made["id"], "--json"))
    assert shown["name"] == "production-agent-v2" and "key" not in shown

    listed = created(cli("keys", "list", "--json"))
    assert made["id"] in [key["id"] for key in listed["keys"]]

    verified = created(cli("keys", "verify", "--json", stdin=made["key"] + "\n"))
    assert verified["valid"] is True and verified["key_id"] == made["id"]

    changed = created(cli("keys", "update", made["id"], "--name", "renamed", "--json"))
    assert changed["name"] == "renamed"

    rotated = created(cli("keys", "rotate", made["id"], "--grace", "0s", "--json"))
    assert rotated["rotated_from"] == made["id"] and is_raw_key(rotated["key"])

    revoked = created(cli("keys", "revoke", rotated["id"], "--yes", "--json"))
    assert revoked["status"] == "revoked" and revoked["enforced"] is True

    verified = cli("keys", "verify", "--json", stdin=rotated["key"])
    assert verified.returncode == REFUSED
    assert json.loads(verified.stdout)["code"] == "revoked"


def test_C3_without_json_the_output_is_for_people_and_pipes(cli):
    done = cli("keys", "create", "plain")
    assert done.returncode == DONE
    keys = [word for word in done.stdout.split() if is_raw_key(word)]
    assert len(keys) == 1
    assert keys[0] not in done.stderr
    listed = cli("keys", "list")
    assert listed.returncode == DONE and "plain" in listed.stdout
    assert "\x1b" not in listed.stdout  # no colour in a pipe
    assert keys[0] not in listed.stdout


def test_C3_colour_and_tables_on_a_terminal_only(cli, server, tmp_path):
    cli("keys", "create", "on-a-terminal")
    ours, theirs = pty.openpty()
    environment = clean_environment(P402_URL=server.url, P402_API_KEY=server.root_key, HOME=str(tmp_path), TERM="xterm")
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen([P402_BIN, "keys", "list"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    output = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        output += data
    assert process.wait(10) == DONE
    assert b"\x1b[" in output and b"on-a-terminal" in output


def test_C3_every_option_of_create(cli):
    made = created(cli("keys", "create", "full", "--mode", "test", "--scope", "a", "--scope", "b:c", "--owner", "cust_1",
                       "--metadata", '{"plan":"pro"}', "--expires-at", "2099-01-01T00:00:00Z",
                       "--allowed-cidr", "10.0.0.0/8", "--json"))
    assert (made["mode"], made["scopes"], made["owner"]) == ("test", ["a", "b:c"], "cust_1")
    assert (made["metadata"], made["allowed_cidrs"]) == ({"plan": "pro"}, ["10.0.0.0/8"])
    assert made["expires_at"] == "2099-01-01T00:00:00Z"


def test_C3_accounts_and_audit(cli):
    account = created(cli("accounts", "create", "Second", "--json"))
    assert is_raw_key(account["key"]["key"])
    assert account["id"] in cli("accounts", "list").stdout
    records = created(cli("audit", "list", "--json"))["records"]
    assert any(record["subject"] == account["id"] for record in records)
    assert created(cli("audit", "verify", "--json"))["intact"] is True
    anchor = created(cli("audit", "anchor", "--json"))
    assert created(cli("audit", "verify", "--anchor", anchor["hash"], "--json"))["anchor_found"] is True
    wrong = cli("audit", "verify", "--anchor", "0" * 64)
    assert wrong.returncode == REFUSED
    assert created(cli("audit", "prune", "--older-than", "90d", "--yes", "--json"))["deleted"] == 0


def test_C5_backup_writes_a_private_file_and_overwrites_none(cli, tmp_path):
    target = tmp_path / "backup.db"
    assert cli("backup", target).returncode == DONE
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes().startswith(b"SQLite format 3\x00")
    again = cli("backup", target)
    assert again.returncode != DONE


def test_C3_exit_codes(cli, server, tmp_path):
    assert cli("keys", "get", "key_01jx0000000000000000000000").returncode == REFUSED
    assert cli("keys", "list", key=fake_raw_key()).returncode == REFUSED
    assert cli("keys", "lits").returncode == USAGE
    assert cli("keys", "create").returncode == USAGE
    assert cli("keys", "list", "--nonsense").returncode == USAGE
    assert cli().returncode == USAGE
    nowhere = cli("keys", "list", env={"P402_URL": "http://127.0.0.1:1"})
    assert nowhere.returncode == UNREACHABLE and "127.0.0.1:1" in nowhere.stderr
    assert cli("keys", "list", env={"P402_URL": "ftp://x"}).returncode == USAGE
    for name in ("P402_API_KEY",):
        done = run_p402("keys", "list", env={"P402_URL": server.url, "HOME": str(tmp_path)})
        assert done.returncode == USAGE and name in done.stderr


@pytest.mark.parametrize("option", ["--owner", "--allowed-cidr", "--metadata", "--expires-in", "--idempotency-key"])
def test_C3_an_empty_variable_makes_no_wider_key(cli, option):
    done = cli("keys", "create", "x", option, "")
    assert done.returncode == 2 and option in done.stderr and "empty" in done.stderr, done.stderr


@pytest.mark.parametrize(("words", "said"), [
    (["kyes"], 'unknown command "kyes"; did you mean p402 keys?\nSee p402 --help'),
    (["keys", "lits"], 'unknown command "lits"; did you mean p402 keys list?\nSee p402 keys --help'),
    (["keys", "list", "--stats", "active"], "unknown option --stats; did you mean --status?\nSee p402 keys list --help"),
    (["serve", "--dta", "x"], "unknown option --dta; did you mean --data?\nSee p402 serve --help"),
    (["keys", "create", "x", "y"], 'unexpected argument "y"\nSee p402 keys create --help'),
    (["audit"], "p402 audit needs a command: list, verify, anchor, prune\nSee p402 audit --help"),
])
def test_C3_wrong_usage_names_the_word_and_the_way_out(cli, words, said):
    done = cli(*words)
    assert (done.returncode, done.stdout, done.stderr) == (USAGE, "", f"p402: {said}\n")


@pytest.mark.parametrize(("words", "said"), [
    (["keys", "list", "--limit", "70000"], "--limit must be a number from 1 to 1000\nSee p402 keys list --help"),
    (["audit", "list", "--limit", "x"], "--limit must be a number from 1 to 1000\nSee p402 audit list --help"),
    (["keys", "create", "x", "--mode", "lve"], "--mode must be live or test\nSee p402 keys create --help"),
    (["keys", "create", "x", "--mode"], "--mode needs a value\nSee p402 keys create --help"),
])
def test_C3_a_wrong_value_names_the_option_and_what_it_takes(cli, words, said):
    done = cli(*words)
    assert (done.returncode, done.stdout, done.stderr) == (USAGE, "", f"p402: {said}\n")


def test_C3_an_unknown_action_is_no_empty_list(cli):
    done = cli("audit", "list", "--action", "key.revok")
    assert done.returncode == REFUSED and done.stdout == ""
    for action in ("key.create", "key.update", "key.rotate", "key.revoke", "account.create", "audit.prune", "store.restore"):
        assert action in done.stderr
        assert cli("audit", "list", "--action", action).returncode == DONE


def test_C3_what_is_final_needs_yes_without_a_terminal(cli):
    made = created(cli("keys", "create", "stays", "--json"))
    for words in (["keys", "revoke", made["id"]], ["audit", "prune", "--older-than", "24h"]):
        done = cli(*words, stdin="y\n")
        assert done.returncode == USAGE and done.stdout == "" and "--yes" in done.stderr, done.stderr
    assert created(cli("keys", "get", made["id"], "--json"))["status"] == "active"
    assert cli("keys", "revoke", made["id"], "--yes").returncode == DONE


def test_A11_self_is_the_key_that_asks(cli):
    made = created(cli("keys", "create", "own", "--json"))
    assert created(cli("keys", "update", "self", "--owner", "me", "--json", key=made["key"]))["id"] == made["id"]
    after = created(cli("keys", "rotate", "self", "--json", key=made["key"]))
    assert after["rotated_from"] == made["id"]
    revoked = created(cli("keys", "revoke", "self", "--yes", "--json", key=after["key"]))
    assert (revoked["id"], revoked["status"]) == (after["id"], "revoked")
    assert created(cli("keys", "get", made["id"], "--json"))["status"] == "active"


def test_C3_a_401_says_where_the_key_came_from(cli, server, tmp_path):
    raw_key = fake_raw_key()
    done = cli("keys", "list", key=raw_key)
    assert done.returncode == REFUSED and "P402_API_KEY" in done.stderr and raw_key not in done.stderr
    config = tmp_path / "config" / "p402" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'api_key = "{raw_key}"\n')
    config.chmod(0o600)
    done = cli("keys", "list", env={"P402_API_KEY": ""})
    assert done.returncode == REFUSED and str(config) in done.stderr and raw_key not in done.stderr


def test_A10_a_retry_names_the_key_that_was_created(cli):
    made = created(cli("keys", "create", "once", "--idempotency-key", "cli-retry", "--json"))
    done = cli("keys", "create", "once", "--idempotency-key", "cli-retry")
    assert done.returncode == REFUSED and "already_created" in done.stderr
    assert f"p402 keys rotate {made['id']}" in done.stderr


def test_A12_another_account_lists_its_audit_trail_without_numbers(cli):
    account = created(cli("accounts", "create", "Numberless", "--json"))
    listed = cli("audit", "list", key=account["key"]["key"])
    assert listed.returncode == DONE
    assert listed.stdout.startswith("-\t") and account["key"]["id"] in listed.stdout


def test_C3_a_refusal_says_why_and_never_the_key(cli, server):
    other = created(cli("keys", "create", "weak", "--scope", "keys:read", "--json"))
    done = cli("keys", "create", "x", key=other["key"])
    assert done.returncode == REFUSED
    assert "keys:write" in done.stderr and "insufficient_scope" in done.stderr
    assert other["key"] not in done.stderr + done.stdout


@pytest.mark.parametrize("arguments", [
    ["keys", "verify", "{}"], ["keys", "verify", "--key", "{}"], ["keys", "create", "{}"],
    ["keys", "get", "{}"], ["keys", "list", "--server=http://{}@127.0.0.1"], ["{}"],
    ["keys", "create", "x", "--metadata", '{{"k":"{}"}}'],
])
def test_C3_a_raw_key_in_argv_is_refused_and_not_repeated(cli, arguments):
    raw_key = fake_raw_key()
    done = cli(*[word.replace("{{", "{").replace("}}", "}").replace("{}", raw_key) for word in arguments])
    assert done.returncode == USAGE
    assert raw_key not in done.stdout + done.stderr
    assert "P402_API_KEY" in done.stderr


def test_C3_settings_from_a_private_file(server, tmp_path):
    folder = tmp_path / "config" / "p402"
    folder.mkdir(parents=True)
    config = folder / "config.toml"
    help_text = run_p402("keys", "list", "--help").stdout
    assert help_text
    config.write_text(f'url = "{server.url}"\napi_key = "{server.root_key}"\n')
    config.chmod(0o600)
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    done = run_p402("keys", "list", env=env)
    assert done.returncode == DONE, done.stderr
    config.chmod(0o644)
    done = run_p402("keys", "list", env=env)
    assert done.returncode == USAGE and "0600" in done.stderr
    assert server.root_key not in done.stderr


COMMANDS = ["serve", "init", "restore", "keys", "keys create", "keys list", "keys get", "keys update", "keys revoke",
            "keys rotate", "keys verify", "accounts", "accounts create", "accounts list", "audit", "audit list",
            "audit verify", "audit anchor", "audit prune", "backup", "completion", "version"]


@pytest.mark.parametrize("command", COMMANDS)
def test_C4_help_for_every_command_with_an_example(command):
    done = run_p402(*command.split(), "--help")
    assert done.returncode == DONE, done.stderr
    assert f"p402 {command}" in done.stdout
    assert "Example:\n  " in done.stdout
    talks = command.split()[0] in ("keys", "accounts", "audit", "backup") and command not in ("keys", "accounts", "audit")
    for variable in ("P402_URL", "P402_API_KEY", "P402_CA_FILE"):
        assert (variable in done.stdout) == talks, variable


@pytest.mark.parametrize("command", [[], ["keys"], ["keys", "create"], ["serve"]])
def test_C4_help_is_a_word_too(command):
    asked, expected = run_p402("help", *command), run_p402(*command, "--help")
    assert (asked.returncode, asked.stdout, asked.stderr) == (DONE, expected.stdout, "")


def test_C4_help_lists_every_command():
    text = run_p402("--help").stdout
    for command in ("serve", "init", "restore", "keys", "accounts", "audit", "backup", "completion", "version"):
        assert re.search(rf"^\s+{command}\b", text, re.MULTILINE), command
    for variable in ("P402_URL", "P402_API_KEY", "P402_CA_FILE", "NO_COLOR"):
        assert re.search(rf"^\s+{variable}\b", text, re.MULTILINE), variable


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_C4_completion(shell, tmp_path):
    done = run_p402("completion", shell)
    assert done.returncode == DONE and "rotate" in done.stdout
    script = tmp_path / "completion"
    script.write_text(done.stdout)
    if shell == "bash":
        assert subprocess.run(["bash", "-n", script]).returncode == 0
    assert run_p402("completion", "tcsh").returncode == USAGE


def test_C3_version():
    done = run_p402("version")
    assert done.returncode == DONE and re.search(r"\d+\.\d+\.\d+", done.stdout)
    assert re.search(r"\d+\.\d+\.\d+", json.loads(run_p402("version", "--json").stdout)["version"])


def test_C3_text_of_others_does_not_steer_the_terminal(cli, root):
    root.create("\u202eevil\u2066 name")
    listed = cli("keys", "list")
    assert "\u202e" not in listed.stdout and "\u2066" not in listed.stdout
    as_json = created(cli("keys", "list", "--json"))
    assert any(key["name"] == "\u202eevil\u2066 name" for key in as_json["keys"])


def test_C3_a_long_list_is_shown_whole(make_server, tmp_path):
    server = make_server()
    with server.client() as root:
        for i in range(250):
            root.create(f"many {i}")
    done = run_p402("keys", "list", "--all", "--json", env={"P402_URL": server.url, "P402_API_KEY": server.root_key,
                                                           "HOME": str(tmp_path)})
    if done.returncode == USAGE:  # no --all: then all is the default
        done = run_p402("keys", "list", "--json", env={"P402_URL": server.url, "P402_API_KEY": server.root_key,
                                                       "HOME": str(tmp_path)})
    assert len(json.loads(done.stdout)["keys"]) == 251


def test_C3_over_tls_with_a_private_authority(make_server, certificates, tmp_path):
    cert, key = certificates("cli")
    server = make_server(arguments=["--tls-cert", str(cert), "--tls-key", str(key)])
    url = f"https://localhost:{server.address[1]}"
    env = {"P402_URL": url, "P402_API_KEY": server.root_key, "HOME": str(tmp_path)}
    assert run_p402("keys", "list", env=env).returncode == UNREACHABLE  # not trusted
    assert run_p402("keys", "list", "--ca-file", cert, env=env).returncode == DONE
    assert run_p402("keys", "list", env={**env, "P402_CA_FILE": str(cert)}).returncode == DONE
