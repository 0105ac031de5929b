#!/usr/bin/env python3
"""The same query on one machine and on a cluster of processes on that machine: overhead, bytes, memory.

    python3 benches/cluster/run.py --rows 10m 100m

A cluster can't be faster here, as its processes share the machine's cores: the ratio is what a cluster costs. One scheduler
and two executors of one core each, one after the other with the shell alone on as many threads. Every answer is checked to
be the same before its time counts. Bytes are those of the files that executors write for each other, per stage; memory is the
peak of each process (VmHWM). Needs the three programs, built with `--all-features`, and nothing but Python.
"""

import argparse
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
FEATURES = (
    "{tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName), "
    "is_system: is_system_session(SubjectLogonId)}, eps => 0.0001"
)
QUERIES = {
    "GROUP BY of the features": "SELECT count(*), sum(n) FROM (SELECT cmdline_tokens(CommandLine) AS a, path_score(NewProcessName) AS b, "
    "is_system_session(SubjectLogonId) AS c, count(*) AS n FROM '{events}' GROUP BY 1, 2, 3)",
    "sizes of all clusters": "SELECT cluster_size, first_event_time FROM dbcluster('{events}', " + FEATURES + ") ORDER BY 1, 2",
    "all columns of the exemplars": "SELECT * FROM dbcluster('{events}', " + FEATURES + ") ORDER BY cluster_id, TimeGenerated, CommandLine",
    "members, counted per cluster": "SELECT cluster_id, count(*) AS n FROM dbcluster_members('{events}', " + FEATURES + ") GROUP BY 1 ORDER BY 1",
    "partition_by => Computer, sizes": "SELECT count(*), sum(cluster_size), max(cluster_size) FROM dbcluster('{events}', " + FEATURES
    + ", partition_by => Computer)",
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def peak_mebibytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def folder_bytes(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


class Cluster:
    def __init__(self, programs, work, memory):
        self.port, self.work, self.processes = free_port(), work, {}
        scheduler = [programs / "dbcluster-scheduler", "--bind-host", "127.0.0.1", "--bind-port", str(self.port)]
        self.start("scheduler", scheduler)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "the scheduler does not listen"
                time.sleep(0.05)
        for number in (1, 2):
            executor = [programs / "dbcluster-executor", "--bind-host", "127.0.0.1", "--external-host", "127.0.0.1"]
            executor += ["--scheduler-port", str(self.port), "--vcores", "1", "--memory-pool-size", memory]
            for flag in ("--bind-port", "--bind-grpc-port", "--bind-health-port"):
                executor += [flag, str(free_port())]
            self.start(f"executor {number}", executor + ["--work-dir", str(work / str(number))])
        time.sleep(2)

    def start(self, name, command):
        self.processes[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(60)

    def written(self):
        """Bytes per stage of the last query, and in all."""
        # Names of queries begin with a digit; what else is there is for spilling.
        folders = (job for executor in self.work.iterdir() for job in executor.iterdir() if job.is_dir())
        jobs = {job.name for job in folders if job.name[0].isdigit()}
        stages = {}
        for executor in self.work.iterdir():
            for stage in (executor / max(jobs)).glob("*"):
                if stage.is_dir():
                    stages[stage.name] = stages.get(stage.name, 0) + folder_bytes(stage)
        return stages


def run(programs, sql, cluster=None):
    command = [programs / "dbcluster", "--format", "csv", "--quiet", "--threads", "2" if cluster is None else "16"]
    if cluster is not None:
        command += ["--cluster", f"df://127.0.0.1:{cluster.port}"]
    started = time.monotonic()
    answer = subprocess.run([*command, "-c", sql], stdout=subprocess.PIPE, check=True).stdout
    return time.monotonic() - started, answer


def measure(programs, rows, rounds, memory, folder):
    events = folder / "sample" / "processes.parquet"
    subprocess.run([programs / "dbcluster", "sample", "--rows", rows, "--files", "8", "--out", folder / "sample"],
                   check=True, stdout=subprocess.DEVNULL)
    print(f"\n{rows} events, {folder_bytes(events) / 2**20:,.0f} MiB of Parquet\n")
    work = folder / "work"
    cluster = Cluster(programs, work, memory)
    try:
        print("| query | here, s | cluster, s | ratio | bytes between tasks | of these to the clustering |")
        print("|---|---|---|---|---|---|")
        for name, sql in QUERIES.items():
            sql = sql.replace("{events}", f"{events}/")
            here, there = [], []
            for _ in range(rounds):
                seconds, expected = run(programs, sql)
                here.append(seconds)
                seconds, answer = run(programs, sql, cluster)
                there.append(seconds)
                assert answer == expected, f"{name}: the cluster's answer is another one"
            stages = cluster.written()
            # Stage 0 or 1 writes the partial groups, the next one the vectors: it is what the clustering reads.
            second = sorted(stages, key=int)[1] if len(stages) > 3 else None
            shipped = f"{stages[second]:,}" if second else ""
            ratio = statistics.median(there) / statistics.median(here)
            print(f"| {name} | {statistics.median(here):.2f} | {statistics.median(there):.2f} | {ratio:.2f} | "
                  f"{sum(stages.values()):,} | {shipped} |", flush=True)
        print("\npeaks: " + ", ".join(f"{name} {peak_mebibytes(it)} MiB" for name, it in cluster.processes.items()))
        alone = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"the shells: {alone} MiB at most, with and without the cluster")
    finally:
        cluster.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", default=["10m", "100m"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", default="4GB", help="of each executor")
    target = os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path(target) / "release")
    parser.add_argument("--folder", help="where the events go, 20 bytes each; a temporary folder by default")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    for rows in options.rows:
        folder = pathlib.Path(tempfile.mkdtemp(dir=options.folder))
        try:
            measure(options.programs, rows, options.rounds, options.memory, folder)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
