"""`csm keys` as an administrator runs it."""

import subprocess
import sys

from tests.support.postgres import Database


def csm(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on the database."""
    command = [sys.executable, "-m", "csm_cli.main", "keys", *arguments, "--dsn", database.admin_dsn]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


async def test_a_key_is_made_for_the_rows_that_it_may_see_and_listed_with_them(database: Database) -> None:
    made = csm(database, "create", "crm", "--scope", "health:read", "--rows", "team:emea")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("csm_")
    listed = csm(database, "list")
    assert "team:emea" in listed.stdout
    assert made.stdout.strip().rpartition("_")[2] not in listed.stdout


async def test_a_key_for_some_rows_that_would_reach_all_is_refused(database: Database) -> None:
    refused = csm(database, "create", "crm", "--scope", "events:write", "--rows", "owner:dana")
    assert refused.returncode != 0
    assert "health:read" in refused.stdout + refused.stderr
