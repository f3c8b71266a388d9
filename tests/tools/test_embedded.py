"""embedded: a real server starts, dies, recovers, replicates and leaves nothing behind."""

from __future__ import annotations

import shutil
import subprocess
import sys

import psutil
import psycopg
import pytest

from tests.postgres import Cluster, Database
from tools.embedded import STOP_SECONDS, EmbeddedError

pytestmark = pytest.mark.postgres


def test_a_wrong_password_is_refused(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.url(password="wrong"))


def test_a_database_is_empty_and_unicode(database: Database) -> None:
    assert database.execute("SELECT count(*) FROM pg_stat_user_tables; SELECT 2") == [(0,)]
    assert database.execute("SHOW server_encoding") == [("UTF8",)]


def test_only_the_first_rows_of_several_statements_come_back(database: Database) -> None:
    rows = database.execute(
        "CREATE TABLE planet (id int); INSERT INTO planet VALUES (3); SELECT id FROM planet"
    )
    assert rows == [(3,)]


def test_a_killed_server_recovers_what_was_committed_on_the_same_port() -> None:
    with Cluster(version=18, settings={"work_mem": "5MB"}) as cluster:
        cluster.execute("CREATE TABLE planet AS SELECT 1 AS id")
        port, killed = cluster.port, psutil.Process(cluster.pid)
        cluster.kill()
        assert not killed.is_running()
        cluster.start()
        assert cluster.port == port
        assert cluster.execute("SELECT id, current_setting('work_mem') FROM planet") == [(1, "5MB")]


def test_lines_of_pg_hba_come_before_ours() -> None:
    with Cluster(hba=["host all visitor all trust", "host all banned all reject"]) as cluster:
        cluster.execute("CREATE ROLE visitor LOGIN; CREATE ROLE banned LOGIN PASSWORD 'orbit'")
        psycopg.connect(cluster.url(user="visitor", password="")).close()
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
            psycopg.connect(cluster.url(user="banned"))


def test_a_removed_server_leaves_neither_process_nor_file() -> None:
    with Cluster() as cluster:
        postmaster = psutil.Process(cluster.pid)
    assert not postmaster.is_running()
    assert not cluster.folder.exists()


def test_a_setting_that_the_server_refuses_is_told_from_its_log() -> None:
    cluster = Cluster(settings={"max_connections": "none"})
    try:
        with pytest.raises(EmbeddedError, match="max_connections"):
            cluster.start()
    finally:
        cluster.remove()


def test_a_replica_follows_its_primary_and_is_in_recovery(cluster: Cluster) -> None:
    with cluster.replica() as standby:
        assert standby.execute("SELECT pg_is_in_recovery()") == [(True,)]
        assert standby.port != cluster.port


@pytest.mark.tls
def test_a_tls_server_proves_its_name_to_a_client_that_knows_the_authority(tls_cluster: Cluster) -> None:
    url = tls_cluster.url(sslmode="verify-full", sslrootcert=str(tls_cluster.authority))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (
            True,
        )


def test_a_server_stops_when_whoever_started_it_is_killed() -> None:
    program = "from tools.embedded import *; c = Cluster(); c.start(); print(c.pid, c.folder); input('\\n')"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout is not None
        pid, folder = user.stdout.readline().split()
        postmaster = psutil.Process(int(pid))
        user.kill()
    gone, _ = psutil.wait_procs([postmaster], timeout=STOP_SECONDS)
    shutil.rmtree(folder)
    assert gone == [postmaster]
