#!/usr/bin/env python3
"""central.py PICKET NATS_TOOL [SCENE...]: an engine that reads what others have shipped to a real
NATS server, without root: many machines and one rule, alerts that arrive, messages that are none,
and what becomes of it all when engine, source and server are killed. PICKET_EVENTS: how many events
there are when they are (else 1000); PICKET_KILLS: how often (else 4)."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SERVER = "/usr/sbin/nats-server"
NOBODY = 65534
PATIENCE = 120  # s; only a failure is waited for so long
EVENTS = int(os.environ.get("PICKET_EVENTS", "1000"))
KILLS = int(os.environ.get("PICKET_KILLS", "4"))

PICKET, TOOL = (os.path.abspath(path) for path in sys.argv[1:3])

RULES = """
rules:
  - id: from-tmp
    title: A program from /tmp
    severity: high
    match: {exe|startswith: /tmp/}
    tests: [{alerts: {exe: /tmp/x}}]
  - id: remote-login
    severity: informational
    match: {exe: /usr/bin/ssh}
    tests: [{alerts: {exe: /usr/bin/ssh}}]
---
title: One user on many machines
id: many-machines
severity: critical
correlation:
  type: value_count
  rules: [remote-login]
  group-by: [user]
  timespan: 10m
  condition: {field: host.name, gte: 3}
"""


class Failure(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Failure(*what)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < end, f"in vain: {what}")
        time.sleep(0.02)


def event(host, number, **more):
    """A line as another engine ships it."""
    line = {
        "type": "exec",
        "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{number % 1000:03}000000Z",
        "host": {"name": host, "id": host.encode().hex().ljust(32, "0")},
        "origin": {"boot": "00000000" + host.encode().hex()[-8:].rjust(8, "1"), "cpu": 0,
                   "seq": number},
        "pid": 1000 + number,
        "exe": "/usr/bin/true",
        "user": "ann",
        "argv": ["x", str(number)],
    }
    line.update(more)
    return json.dumps(line)


class Scene:
    """A folder, a server, an engine; all gone with it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="picket-central-")
        os.chmod(self.dir, 0o755)
        self.home = self.path("home")  # what the engine may write to
        os.mkdir(self.home)
        if os.getuid() == 0:
            os.chown(self.home, NOBODY, NOBODY)
        self.port = free_port()
        self.server = self.engine = None
        self.url = f"nats://127.0.0.1:{self.port}"
        self.logs = 0
        with open(self.path("nats.conf"), "w", encoding="utf-8") as conf:
            conf.write(f'listen: "127.0.0.1:{self.port}"\n'
                       f'jetstream {{ store_dir: "{self.path("store")}" }}\n')
        self.write_rules(RULES)
        self.start_server()
        self.tool("create", "FLEET", "picket.>")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write_rules(self, rules):
        with open(self.path("rules.yaml"), "w", encoding="utf-8") as file:
            file.write(rules)

    def start_server(self):
        self.server = subprocess.Popen([SERVER, "-c", self.path("nats.conf"), "-l", "/dev/null"])

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        until(listens, "the server")

    def kill_server(self):
        self.server.kill()
        self.server.wait()

    def tool(self, *arguments):
        done = subprocess.run([TOOL, self.url, *arguments], stdout=subprocess.PIPE, check=False,
                              encoding="utf-8", timeout=PATIENCE)
        check(done.returncode == 0, "nats_tool", arguments)
        return done.stdout

    def publish(self, lines, pause=0):
        """With a pause between two (microseconds), in the background."""
        name = self.path(f"lines-{time.monotonic_ns()}")
        with open(name, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        publisher = subprocess.Popen([TOOL, self.url, "publish", "picket.events", name, str(pause)])
        if not pause:
            check(publisher.wait(PATIENCE) == 0, "not all could be published")
        return publisher

    def configure(self, sensor="", **keys):
        config = {
            "rules": ["rules.yaml"],
            "journal": {"path": os.path.join(keys.get("journal", self.home), "alerts.db")},
            "outputs": [{"plugin": "json", "path": os.path.join(self.home, "out.jsonl")}],
            "sensor": {"nats": {"servers": self.url, "stream": "FLEET", "ack_wait": "2s"} |
                       keys.get("nats", {})},
        }
        if sensor:
            del config["sensor"]
        with open(self.path("picket.yaml"), "w", encoding="utf-8") as file:
            json.dump(config, file)

    def start(self, *arguments, wait=True):
        self.logs += 1
        self.log = self.path(f"log-{self.logs}")
        with open(self.log, "w", encoding="utf-8") as log:
            who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} \
                if os.getuid() == 0 else {}
            self.engine = subprocess.Popen(
                [PICKET, "run", "-c", self.path("picket.yaml"), *arguments], stderr=log,
                # The leak checker asks for system calls that the engine's filter refuses.
                env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}, **who)
        if wait:
            until(lambda: self.engine.poll() is not None or "Ctrl-C ends it" in self.said(),
                  "picket")
            check(self.engine.poll() is None, "picket does not start:", self.said())

    def said(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def stop(self):
        self.engine.terminate()
        check(self.engine.wait(PATIENCE) == 0, "picket ended badly:", self.said())
        return self.said()

    def kill(self):
        self.engine.kill()
        self.engine.wait()

    def alerts(self, rule=None):
        """What the journal has, as (id, host, rule, alert)."""
        path = os.path.join(self.home, "alerts.db")
        if not os.path.exists(path):
            return []
        done = subprocess.run([PICKET, "alerts", "--journal", path, "--format", "json",
                               "--limit", "1000000"], stdout=subprocess.PIPE, encoding="utf-8",
                              stderr=subprocess.PIPE, check=False, timeout=PATIENCE)
        alerts = [json.loads(line) for line in done.stdout.splitlines()]
        return [(alert["id"], alert["host"]["name"], alert["rule"]["id"], alert)
                for alert in alerts if rule in (None, alert["rule"]["id"])]

    def written(self):
        with open(os.path.join(self.home, "out.jsonl"), encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.endswith("}\n")]

    def consumer(self):
        """(not delivered yet, not acknowledged, delivered again)"""
        done = subprocess.run([TOOL, self.url, "consumer", "FLEET", "picket"], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
                              timeout=PATIENCE)
        return tuple(int(word) for word in done.stdout.split()) or None

    def await_quiet(self):
        until(lambda: self.consumer() and self.consumer()[:2] == (0, 0), "all is acknowledged")

    def end(self):
        for process in (self.engine, self.server):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def source_host(scene):
    """The pid of the process that reads the stream."""
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                is_host = b"source-host\0" in file.read()
            with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
            with open(f"/proc/{parent}/stat", encoding="utf-8") as file:
                grandparent = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if is_host and grandparent == scene.engine.pid:
            return int(entry)
    return None


def counts(said):
    """Of the last line of counts about the stream."""
    line = [line for line in said.splitlines() if line.startswith("  nats ")][-1]
    words = line.replace(",", " ").replace(";", " ").split()
    return {name: int(words[words.index(name) + 1])
            for name in ("received", "acknowledged", "refused", "repeated")}


def test_many_machines(scene):
    """A correlation over what three machines ship; and what each of them alerts by itself. One from
    the future is in nobody's way."""
    scene.configure()
    scene.start()
    hosts = ["web1", "web2", "db1"]
    lines = [event(host, 1, exe="/usr/bin/ssh", user="eve") for host in hosts]
    lines.insert(2, event("odd", 1, time="2199-01-01T00:00:00Z"))
    scene.publish(lines[:3])
    time.sleep(1.5)  # what is over by the clock of events would be forgotten now
    scene.publish(lines[3:] + [event(host, 2, exe="/tmp/x") for host in hosts])
    scene.await_quiet()
    scene.stop()
    alerts = scene.alerts("many-machines")
    check(len(alerts) == 1, alerts)
    check(alerts[0][3]["event"]["user"] == "eve", alerts)
    check(sorted(alert[1] for alert in scene.alerts("from-tmp")) == sorted(hosts),
          scene.alerts())
    check([alert["id"] for alert in scene.written()] == [alert[0] for alert in scene.alerts()])


def test_alerts_arrive(scene):
    """One of another engine is kept as it came; only other rules say more about its event."""
    scene.configure()
    seen = scene.path("seen.jsonl")
    with open(seen, "w", encoding="utf-8") as file:
        file.write(event("edge7", 5, exe="/tmp/y") + "\n")
    out = scene.path("edge.jsonl")
    subprocess.run([PICKET, "replay", "-r", scene.path("rules.yaml"), "-o", f"json,path={out}",
                    seen], check=True, stderr=subprocess.DEVNULL)
    with open(out, encoding="utf-8") as file:
        sent = json.loads(file.read())
    scene.write_rules(RULES.replace("rules:\n", """rules:
  - id: central
    severity: low
    match: {exe: /tmp/y}
    tests: [{alerts: {exe: /tmp/y}}]
""", 1))
    scene.start()
    scene.publish([json.dumps(sent)])
    scene.await_quiet()
    scene.stop()
    arrived, ours = scene.alerts("from-tmp"), scene.alerts("central")
    check(len(scene.alerts()) == 2, scene.alerts())
    check(arrived[0][0] == sent["id"] and arrived[0][1] == "edge7", arrived)
    check(arrived[0][3] == sent, arrived)
    check(ours[0][1] == "edge7", ours)


def test_no_events(scene):
    """What is no event is counted and alerted, does not come again, and keeps nothing up."""
    scene.configure()
    scene.start()
    scene.publish(["nonsense", "[]", "{}x", '{"pid": "many"}', '{"rule": {"id": "x"}}',
                   event("web1", 1, exe="/tmp/x")])
    scene.await_quiet()
    said = scene.stop()
    check(len(scene.alerts("from-tmp")) == 1, scene.alerts())
    told = scene.alerts("picket.messages_refused")
    check(sum(alert[3]["detail"]["count"] for alert in told) == 5, told)
    check(counts(said) == {"received": 6, "acknowledged": 1, "refused": 5, "repeated": 0}, said)


def expect_all(scene, events):
    """Each event's alert is in the journal; what came twice has one id."""
    ids = {alert[0] for alert in scene.alerts("from-tmp")}
    numbers = {alert[3]["event"]["pid"] for alert in scene.alerts("from-tmp")}
    check(len(numbers) == events, f"{len(numbers)} of {events} events alerted")
    check(len(ids) == events, f"{len(ids)} ids of {events} events")
    written = {alert["id"] for alert in scene.written() if alert["rule"]["id"] == "from-tmp"}
    check(written == ids, f"{len(written)} of {len(ids)} were written")


def test_kills(scene):
    """Engine and server are killed at any moment: no event's alert is missing."""
    scene.configure()
    publisher = scene.publish([event("web1", number, exe="/tmp/x") for number in range(EVENTS)],
                              pause=1000)
    for kill in range(KILLS):
        scene.start(wait=False)
        time.sleep(random.uniform(0.1, 1))
        scene.kill()
        if kill == KILLS // 2:
            scene.kill_server()
            scene.start_server()
    check(publisher.wait(PATIENCE) == 0, "not all could be published")
    scene.start()
    scene.await_quiet()
    scene.stop()
    expect_all(scene, EVENTS)


def test_source_dies(scene):
    """A source that is killed, or stops, is started again, and nothing is lost."""
    scene.configure(nats={"deadline": "5s"})
    scene.start()
    publisher = scene.publish([event("web1", number, exe="/tmp/x") for number in range(EVENTS)],
                              pause=1000)
    for number in (signal.SIGKILL, signal.SIGSTOP):
        until(lambda: source_host(scene), "the source")
        victim = source_host(scene)
        os.kill(victim, number)
        until(lambda was=victim: source_host(scene) not in (None, was), "another source")
    check(publisher.wait(PATIENCE) == 0, "not all could be published")
    scene.await_quiet()
    said = scene.stop()
    check("crashes 1, hangs 1, garbage 0" in said, said)
    expect_all(scene, EVENTS)


def test_share(scene):
    """Two engines of one consumer share the work; what one had when it died, the other gets."""
    other = os.path.join(scene.home, "other")
    os.mkdir(other)
    if os.getuid() == 0:
        os.chown(other, NOBODY, NOBODY)
    scene.configure()
    scene.start()
    first = scene.engine
    scene.configure(journal=other)
    scene.start()
    publisher = scene.publish([event("web1", number, exe="/tmp/x") for number in range(EVENTS)],
                              pause=1000)
    until(lambda: len(scene.alerts("from-tmp")) > EVENTS // 10, "the first one's share")
    first.kill()
    first.wait()
    check(publisher.wait(PATIENCE) == 0, "not all could be published")
    scene.await_quiet()
    scene.stop()
    mine = {alert[0] for alert in scene.alerts("from-tmp")}
    scene.home = other
    theirs = {alert[0] for alert in scene.alerts("from-tmp")}
    check(mine and theirs, f"{len(mine)} and {len(theirs)}")
    check(len(mine | theirs) == EVENTS, f"{len(mine | theirs)} of {EVENTS}")


def test_reload(scene):
    """Rules are exchanged between two messages; counts are told; the server may come late."""
    scene.configure()
    scene.kill_server()
    scene.start()
    until(lambda: "no server" in scene.said(), "that the server is away is said")
    scene.start_server()
    scene.publish([event("web1", 1, exe="/opt/x")])
    scene.await_quiet()
    scene.write_rules(RULES.replace("/tmp/", "/opt/").replace("/tmp", "/opt"))
    scene.engine.send_signal(signal.SIGHUP)
    until(lambda: scene.alerts("picket.rules_changed"), "the rules are changed")
    scene.publish([event("web1", 2, exe="/opt/x")])
    scene.await_quiet()
    scene.engine.send_signal(signal.SIGUSR2)
    until(lambda: "counts after" in scene.said(), "the counts")
    check(counts(scene.said())["acknowledged"] == 2, scene.said())
    scene.stop()
    check([alert[3]["event"]["pid"] for alert in scene.alerts("from-tmp")] == [1002],
          scene.alerts())
    check("can be read again" in scene.said(), scene.said())


def test_full_disk(scene):
    """Nothing is acknowledged that is not journalled; when there is room again, all of it is."""
    disk = scene.path("disk")
    os.mkdir(disk)
    size = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=777", "picket-central", disk]
    if os.getuid() != 0 or subprocess.run(size, check=False).returncode != 0:
        print("  skipped: no tmpfs can be mounted")
        return
    try:
        scene.home = os.path.join(disk, "home")
        os.mkdir(scene.home)
        os.chown(scene.home, NOBODY, NOBODY)
        scene.configure()
        scene.start()
        scene.publish([event("web1", 0, exe="/tmp/x")])
        scene.await_quiet()
        with open(os.path.join(disk, "filler"), "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        scene.publish([event("web1", number, exe="/tmp/x", meta="y" * 3000)
                       for number in range(1, EVENTS)])
        until(lambda: "journal" in scene.said() and "cannot be written" in scene.said() or
              scene.consumer()[1], "the journal fails")
        time.sleep(5)  # acknowledgements would have come by then
        pending, out, _ = scene.consumer()
        kept = {alert[0] for alert in scene.alerts("from-tmp")}
        check(EVENTS - pending - out <= len(kept),
              f"{EVENTS - pending - out} acknowledged, {len(kept)} journalled")
        check(out > 0, "something is not acknowledged")
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        scene.await_quiet()
        scene.stop()
        numbers = {alert[3]["event"]["pid"] for alert in scene.alerts("from-tmp")}
        check(len(numbers) == EVENTS, f"{len(numbers)} of {EVENTS}")
    finally:
        if scene.engine and scene.engine.poll() is None:
            scene.kill()
        subprocess.run(["umount", "-l", disk], check=False)


def refuse(scene, expected, *arguments):
    done = subprocess.run([PICKET, "run", *arguments], stderr=subprocess.PIPE, check=False,
                          stdin=subprocess.DEVNULL, encoding="utf-8", timeout=PATIENCE)
    check(done.returncode != 0 and expected in done.stderr, expected, done.stderr)


def test_mistakes(scene):
    """What a user gets wrong is said where it is."""
    rules = ["-r", scene.path("rules.yaml"), "-o", "json,path=/dev/null"]
    scene.configure(nats={"striem": "x"})
    refuse(scene, "did you mean 'stream'", "-c", scene.path("picket.yaml"))
    scene.configure(sensor="argument")
    config = ["-c", scene.path("picket.yaml")]
    refuse(scene, "no source of events 'kafka'", *config, "--sensor", "kafka=x", *rules)
    refuse(scene, "exposed-secret", *config, "--sensor", f"nats={scene.url},user=a,password=b")
    refuse(scene, "'stream' is no name", *config, "--sensor", f"nats={scene.url},stream=a.b")
    refuse(scene, "from 1 to 16384", *config, "--sensor", f"nats={scene.url},in_flight=0")
    with open(scene.path("none.yaml"), "w", encoding="utf-8") as file:
        file.write("journal: false\nsensor: {nats: {stream: FLEET}, ring: 1MiB}\n")
    refuse(scene, "conflicting-keys", "-c", scene.path("none.yaml"), *rules)
    with open(scene.path("none.yaml"), "w", encoding="utf-8") as file:
        file.write("journal: false\nsensor: {nats: {stream: FLEET}}\n")
    refuse(scene, "sensor-needs-journal", "-c", scene.path("none.yaml"), *rules)


def test_large(scene):
    """What is larger than a request asks for comes alone; what is too large, or has more values than
    can be read within some memory, is no event."""
    with open(scene.path("nats.conf"), "a", encoding="utf-8") as conf:
        conf.write("max_payload: 40000000\nmax_pending: 67108864\n")
    scene.kill_server()
    scene.start_server()
    scene.configure()
    scene.start()
    scene.publish([event("web1", 1, exe="/tmp/x"),
                   event("web1", 2, exe="/tmp/x", meta="z" * (17 << 20)),
                   event("web1", 3, exe="/usr/bin/ssh", meta="z,[" * (5 << 20)),
                   event("web1", 5, exe="/tmp/x", meta=[{}] * (3 << 20)),
                   event("web1", 4, exe="/tmp/x")])
    scene.await_quiet()
    said = scene.stop()
    check(counts(said) == {"received": 5, "acknowledged": 3, "refused": 2, "repeated": 0}, said)
    check("longer than 16 MiB" in said, said)
    check([alert[3]["event"]["pid"] for alert in scene.alerts("from-tmp")] == [1001, 1004],
          scene.alerts("from-tmp"))


def test_stream_made_anew(scene):
    """One that is gone is awaited; the numbers of its messages begin anew, and each counts."""
    scene.configure()
    scene.start()
    scene.publish([event("web1", 1, exe="/tmp/x")])
    scene.await_quiet()
    scene.tool("delete", "FLEET")
    until(lambda: "consumer is gone" in scene.said(), "that it is gone is said")
    scene.tool("create", "FLEET", "picket.>")
    scene.publish([event("web1", 2, exe="/tmp/x")])
    scene.await_quiet()
    scene.stop()
    check([alert[3]["event"]["pid"] for alert in scene.alerts("from-tmp")] == [1001, 1002],
          scene.alerts("from-tmp"))


def publish_word(scene, times):
    """A message that looks like the server's word that nobody is there to answer."""
    header = b"NATS/1.0\r\nStatus: 503\r\n\r\n"
    with socket.create_connection(("127.0.0.1", scene.port)) as client:
        client.sendall(b'CONNECT {"verbose":false,"headers":true}\r\n')
        for _ in range(times):
            client.sendall(b"HPUB picket.events %d %d\r\n%s\r\n" % (len(header), len(header), header))
        client.sendall(b"PING\r\n")
        said = b""
        while b"PONG" not in said:
            said += client.recv(4096)


def test_forged_words(scene):
    """What somebody publishes is a message, also when it looks like a word of the server's: as
    many as may be out at once do not keep the others away."""
    scene.configure(nats={"in_flight": 16})
    scene.start()
    publish_word(scene, 32)
    scene.publish([event("web1", 1, exe="/tmp/x")])
    scene.await_quiet()
    said = scene.stop()
    check(counts(said) == {"received": 33, "acknowledged": 1, "refused": 32, "repeated": 0}, said)
    check("consumer is gone" not in said, said)


def test_login(scene):
    """A server that wants to know who comes: said once, until the password is right."""
    with open(scene.path("nats.conf"), "a", encoding="utf-8") as conf:
        conf.write("authorization { user: centre, password: s3cret }\n")
    scene.kill_server()
    scene.start_server()
    secret = scene.path("secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("wrong\n")
    login = {"user": "centre", "password": {"file": secret}}
    scene.configure(nats=login)
    scene.start()
    until(lambda: "uthorization" in scene.said(), "that the login fails is said")
    time.sleep(1)
    said = scene.stop()
    check(said.count("uthorization") == 1 and "s3cret" not in said and "wrong" not in said, said)
    with open(secret, "w", encoding="utf-8") as file:
        file.write("s3cret\n")
    scene.start()
    scene.url = scene.url.replace("//", "//centre:s3cret@")
    scene.publish([event("web1", 1, exe="/tmp/x")])
    scene.await_quiet()
    scene.stop()
    check(len(scene.alerts("from-tmp")) == 1, scene.alerts())


def test_docs(scene):
    """Both sides as docs/central.md has them; the machine's events are a recording."""
    with open(os.path.join(os.path.dirname(__file__), "../../docs/central.md"),
              encoding="utf-8") as file:
        page = file.read()
    for place, ours in (("nats://nats.example:4222", scene.url),
                        ("/usr/share/picket/rules, /etc/picket/rules.d", scene.path("rules.yaml")),
                        ("/var/log/picket.jsonl", os.path.join(scene.home, "out.jsonl")),
                        ("/var/lib/picket", scene.home)):
        check(place in page, place)
        page = page.replace(place, ours)
    edge, centre = (block.partition("```")[0] for block in page.split("```yaml\n")[1:3])
    with open(scene.path("edge.yaml"), "w", encoding="utf-8") as file:
        file.write(edge)
    with open(scene.path("picket.yaml"), "w", encoding="utf-8") as file:
        file.write(centre)
    with open(scene.path("seen.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(event(host, 1, exe="/tmp/x") + "\n" for host in ("web1", "web2"))
    scene.tool("delete", "FLEET")
    scene.start()
    done = subprocess.run([PICKET, "replay", "-c", scene.path("edge.yaml"), "-r",
                           scene.path("rules.yaml"), scene.path("seen.jsonl")], check=False,
                          stderr=subprocess.PIPE, encoding="utf-8", timeout=PATIENCE)
    check(done.returncode == 0, done.stderr)
    until(lambda: len(scene.alerts("from-tmp")) == 2, "two alerts")
    scene.stop()
    check([alert[1] for alert in scene.alerts("from-tmp")] == ["web1", "web2"], scene.alerts())


def main():
    if not os.path.exists(SERVER):
        print(f"skipped: no {SERVER}")
        return 1 if os.environ.get("CI") else 77
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or sys.argv[3:] and name[5:] not in sys.argv[3:]:
            continue
        scene = Scene()
        try:
            began = time.monotonic()
            test(scene)
            print(f"ok {name[5:]} ({time.monotonic() - began:.1f} s)", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAILED {name[5:]}:", *failure.args, flush=True)
            if scene.logs:
                print(scene.said())
        finally:
            scene.end()
    return 1 if failed else 0


sys.exit(main())
