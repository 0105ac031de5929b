"""Writes the first inputs of each target to corpus/<target>/: options of zeros, that is the default ones, and a small file."""

import codecs
import pathlib

HERE = pathlib.Path(__file__).parent

CSV = [
    "time,host,n\n2025-01-01 00:00:00,srv1,1\n2025-01-01 00:00:01.5,srv2,2\n",
    'a;b\r\n"x;\r\n""y""";1\r\n;2\r\n',
    "a\tb\n1\t2\n3\n",
    'name,note\n"open\nb,c\n',
    "a,a,,A\n1,2,3,4,5\n",
    "src dst bytes\n192.0.2.1 192.0.2.2 -\n",
    "a\r1\r2\r",
    "sep=;\na;b\n1;2\n",
    "# comment\na|b\n1|\"2\" \n",
]
JSON = [
    '{"time":"2025-01-01T09:00:00+02:00","n":1}\n{"time":"2025-01-01T08:30:00Z","n":2.5}\n',
    '[{"a":1},{"a":null,"b":[1,2,{"c":"\\u00e4"}]}]',
    '{"Records":[{"a":{"b":1}},{"a":{"b":"x"}}],"next":null}',
    '{\n "a": "x\\"y",\n "b": true\n}\n{\n "a": 1e5\n}\n',
    '{"a":1}\n{"a":\n{"a":3}\n',
    '{"a":{"b":{"c":[[1],[2,3]]}}}{"a":{}}',
    '\ufeff{"a":1,"a":2}',
]
ZEEK = [
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tid\tn\ttags\n"
    "#types\ttime\tstring\tcount\tset[string]\n1547546700.25\tC1\t5\ta,b\n1547546701.0\t-\t-\t(empty)\n#close\t2019-01-15\n",
    "#separator \\x2c\n#fields,a,b\n1,x\\x2cy\n",
]
W3C = [
    "#Software: IIS\r\n#Date: 2025-01-01 00:00:00\r\n#Fields: date time c-ip cs(User-Agent)\r\n"
    "2025-01-01 00:00:01 192.0.2.1 a+b\r\n#Fields: date time sc-status\r\n2025-01-01 00:00:02 200\r\n",
    '#Version: 1.0\n#Fields: time x-note\n00:00:01 "a ""b"" c"\n00:00:02 -\n',
]
AUDIT = [
    "type=SYSCALL msg=audit(1364481363.243:1): arch=c000003e syscall=59 pid=7 comm=6120 key=(null)\x1dAUID=\"ana\"\n"
    "node=h type=PATH msg=audit(1364481363.243:2): item=0 name=\"/x\"\n"
    "type=EXECVE msg=audit(1364481363.243:1): argc=2 a0=\"x\" a1_len=2 a1[0]=61\n"
    "type=EXECVE msg=audit(1364481363.243:1): a1[1]=62\ntype=EOE msg=audit(1364481363.243:1):\n",
    "----\ntime->Thu\ntype=USER msg=audit(0.000:3): pid=1 msg='op=x acct=\"a'b\" addr=? res=1'\nno record\n"
    "type=AVC msg=audit(0.000:3): avc:  denied  { read } for pid=1\ntype=AVC msg=audit(0.000:3): pid=2 paths=x\n",
]
LINES = ["Jan 15 10:05:00 host sshd[1]: Failed password\n\nlast", "a\rb\r\n", "\x0b\x1b[31mred\u2028x\n"]


def evtx():
    """A chunk with one event in binary XML, up to the end of the event."""
    chunk = bytearray(b"ElfChnk\0".ljust(512, b"\0"))
    chunk += bytes.fromhex("2a2a0000") + bytes(4) + (1).to_bytes(8, "little") + bytes(8) + bytes.fromhex("0f010100")

    def name(text):
        chunk.extend((len(chunk) + 4).to_bytes(4, "little") + bytes(6) + len(text).to_bytes(2, "little"))
        chunk.extend(text.encode("utf-16-le") + bytes(2))

    def value(text):
        chunk.extend(bytes([5, 1]) + len(text).to_bytes(2, "little") + text.encode("utf-16-le"))

    def element(tag, attributes, text, children):
        chunk.extend(bytes([0x41 if attributes else 1]) + bytes(4))
        name(tag)
        chunk.extend(bytes(4 if attributes else 0))
        for number, (key, of_key) in enumerate(attributes):
            chunk.append(0x46 if number + 1 < len(attributes) else 6)
            name(key)
            value(of_key)
        chunk.append(2)
        if text:
            value(text)
        for child in children:
            element(*child)
        chunk.append(4)

    time = ("TimeCreated", [("SystemTime", "2026-01-02T03:04:05.1234567Z")], "", [])
    data = [("Data", [("Name", "A")], "x", []), ("Data", [("Name", "B")], "7", [])]
    element("Event", [], "", [("System", [], "", [time, ("EventID", [], "1", [])]), ("EventData", [], "", data)])
    chunk.append(0)
    size = (len(chunk) + 4 - 512).to_bytes(4, "little")
    chunk += size
    chunk[516:520] = size
    for at, number in [(8, 1), (16, 1), (24, 1), (32, 1), (40, 128), (44, 512), (48, len(chunk)), (120, 4)]:
        chunk[at:at + 4] = number.to_bytes(4, "little")
    return bytes(chunk)


VALUES = [
    "2025-01-01 09:00:00\n2025-01-01T09:00:00.1234567Z\n",
    "01/02/2026\n15/01/2026 9:00 AM\n",
    "1547546700\n1547546700000\n133500000000000000\n",
    "1\n007\n1e5\n-0.0\n9223372036854775808\nNaN\n",
    "true\nFalse\n\n-\n",
    "Tue, 15 Jan 2019 10:05:00 GMT\n15/Jan/2019:10:05:00 +0100\n1.2.2026\n20250101T090000Z\n",
    '{"a":1}\n{"a":"x","b":[]}\n[1,[2]]\nnull\n',
    "2025-03-30 02:30:00\n2025-10-26 02:30:00\n",
]


def write(target, options, files):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files):
        (folder / f"seed-{number}").write_bytes(options + file)


def main():
    text = {"csv": CSV, "json": JSON, "zeek": ZEEK, "w3c": W3C, "audit": AUDIT, "lines": LINES}
    for target, files in text.items():
        write(target, bytes(4), [file.encode() for file in files])
    write("evtx", bytes(4), [evtx()])
    write("values", bytes(4), [file.encode() for file in VALUES])
    files = [file.encode() for files in text.values() for file in files]
    files += [codecs.BOM_UTF16_LE + CSV[0].encode("utf-16-le"), CSV[0].encode("utf-16-be"), "a,b\nM\u00fcller,1\n".encode("cp1252")]
    write("any", bytes(6), files)
    write("compressed", b"", [bytes([kind, split, 0, 0, 0]) + file for kind in range(4) for split in (0, 128) for file in files[:10]])


main()
