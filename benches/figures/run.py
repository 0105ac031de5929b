#!/usr/bin/env python3
"""Compares drawing libraries: how large are they, and how fast is a page of theirs beside the same rows in a page of ours?

    python3 benches/figures/run.py target/release/dbcluster
    python3 benches/figures/run.py target/release/dbcluster --only canvas uplot --figures scatter --marks 20000 --pictures FOLDER

`ours` is the page that `COPY ... STORED AS SCATTER`, `TIMELINE` or `VALUES` writes, and `ours-custom` the same with a newer plotly.js of
only the parts that it needs. All others are pages with the same rows as the same JSON, drawn by candidates.js; `plotly` has the script of
our pages. Each page is opened in a browser of its own, which draws by the processor only; all libraries take turns in each round, and
medians are printed:

- first: from the order to open the page to the picture of the window with its marks
- zoom: from the order to show half of the time to the picture of it
- memory: what all processes of the browser have more than with an empty page

The picture is a part of both: the page of `nothing` has the same rows, reads them, and draws nothing. Then come the sizes of the scripts,
their versions with their licences and dates, and what the browser tells a screen reader. Needs Chromium, npm for the packages that
package.json pins, and nothing but Python.
"""
import argparse
import base64
import fcntl
import gzip
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
EVENTS = "SELECT \"TimeGenerated\" AS time, date_part('epoch', \"TimeGenerated\") AS seconds, least(length(\"CommandLine\"), 250) AS length, \
    cmdline_template(process_name(\"NewProcessName\")) AS process, \"CommandLine\" FROM '{events}' WHERE \"CommandLine\" IS NOT NULL ORDER BY time, \"CommandLine\" LIMIT {marks}"
OPTIONS = {
    "scatter": "x 'seconds', y 'length', label 'process'",
    "timeline": "time 'time', group_by 'process'",
    "values": "time 'time', y 'length'",
}
SCRIPTS = {
    "echarts": "echarts/dist/echarts.min.js",
    "echarts-custom": "echarts-custom.js",
    "uplot": "uplot/dist/uPlot.iife.min.js",
    "chartjs": "chart.js/dist/chart.umd.min.js",
    "observable": "@observablehq/plot/dist/plot.umd.min.js",
    "plotly-custom": "plotly-custom.js",
}
BEFORE = {"observable": ["d3/dist/d3.min.js"]}
STYLES = {"uplot": "uplot/dist/uPlot.min.css"}
PACKAGES = {"plotly-custom": "plotly.js", "echarts": "echarts", "uplot": "uplot", "chartjs": "chart.js", "observable": "@observablehq/plot"}
# Parts of libraries that draw what the figures have.
CUSTOM = {
    "echarts-custom.js": """
        import * as core from "echarts/core";
        import { BarChart, HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
        import { AriaComponent, DatasetComponent, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent,
            TooltipComponent, VisualMapComponent } from "echarts/components";
        import { CanvasRenderer, SVGRenderer } from "echarts/renderers";
        core.use([BarChart, HeatmapChart, LineChart, ScatterChart, AriaComponent, DatasetComponent, DataZoomComponent, GridComponent,
            LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, CanvasRenderer, SVGRenderer]);
        globalThis.echarts = core;""",
    "plotly-custom.js": """
        import Plotly from "plotly.js/lib/core";
        import bar from "plotly.js/lib/bar";
        import heatmap from "plotly.js/lib/heatmap";
        import scattergl from "plotly.js/lib/scattergl";
        Plotly.register([bar, heatmap, scattergl]);
        globalThis.Plotly = Plotly;""",
}
WATCH = """new MutationObserver(() => { if (document.documentElement?.dataset.drawn === 'true') globalThis.isDrawn(''); })
    .observe(document, { attributes: true, subtree: true, attributeFilter: ['data-drawn'] });"""
ZOOM_OURS = """new Promise((done) => { const place = document.querySelector('.figure'); place.focus(); place.once('plotly_afterplot', () => done(true));
    place.dispatchEvent(new KeyboardEvent('keydown', { key: '+' })); })"""
PATIENCE = 120  # seconds


class Browser:
    """A headless Chromium, driven over pipes."""

    def __init__(self):
        self.profile = tempfile.mkdtemp()
        pipes = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for pair in (os.pipe(), os.pipe()) for end in pair]

        def in_child():
            os.dup2(pipes[0], 3)
            os.dup2(pipes[3], 4)

        name = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None) or sys.exit("no Chromium")
        command = [name, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                   "--enable-unsafe-swiftshader", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"]
        self.process = subprocess.Popen(command, preexec_fn=in_child, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(pipes[0])
        os.close(pipes[3])
        self.orders, self.answers = os.fdopen(pipes[1], "wb", 0), os.fdopen(pipes[2], "rb")
        self.last, self.session, self.left, self.events = 0, None, b"", []
        target = self.order("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime"]:
            self.order(f"{domain}.enable")
        self.order("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
        self.order("Runtime.addBinding", name="isDrawn")
        self.order("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def message(self):
        while b"\0" not in self.left:
            block = os.read(self.answers.fileno(), 1 << 20)
            if not block:
                raise RuntimeError("the browser has ended")
            self.left += block
        one, _, self.left = self.left.partition(b"\0")
        return json.loads(one)

    def order(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.orders.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def ask(self, expression):
        answer = self.order("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression[:80]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, name):
        until = time.monotonic() + PATIENCE
        while not any(event.get("method") == name for event in self.events):
            self.events.append(self.message())
            if time.monotonic() > until:
                raise RuntimeError(f"no {name}")

    def picture(self):
        return base64.b64decode(self.order("Page.captureScreenshot", format="jpeg", quality=60, optimizeForSpeed=True)["data"])

    def memory(self):
        """The memory of all its processes in bytes; shared pages count in parts."""
        parents = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
        family, grown = {self.process.pid}, True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in family} - family
            grown = bool(more)
            family |= more
        total = 0
        for pid in family:
            try:
                total += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1]) * 1024
            except (OSError, TypeError):
                pass
        return total

    def close(self):
        self.process.kill()
        self.process.wait()
        self.orders.close()
        self.answers.close()
        shutil.rmtree(self.profile, ignore_errors=True)


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def opened(page, is_ours, picture):
    """One page: the seconds to its first picture and to a zoomed one, its bytes of memory, and what a screen reader gets."""
    browser = Browser()
    try:
        browser.picture()
        empty = browser.memory()

        def show():
            browser.events.clear()
            browser.order("Page.navigate", url=f"file://{page}")
            browser.wait_for("Runtime.bindingCalled")
            return browser.picture()

        first, shown = timed(show)
        memory = browser.memory() - empty
        if picture:
            picture.with_suffix(".jpg").write_bytes(shown)

        def zoom():
            browser.ask(ZOOM_OURS if is_ours else "Promise.resolve(zoomIn()).then(() => true)")
            return browser.picture()

        zoomed, shown = timed(zoom)
        if picture:
            picture.with_name(f"{picture.name}-zoomed.jpg").write_bytes(shown)
        return {"first": first, "zoom": zoomed, "memory": memory}, browser
    except BaseException:
        browser.close()
        raise


def told(browser):
    """What the browser tells a screen reader: the roles with their numbers, the stops of the tab key, and the first name."""
    browser.order("Accessibility.enable")
    nodes = browser.order("Accessibility.getFullAXTree")["nodes"]
    roles = {}
    for node in nodes:
        role = node.get("role", {}).get("value")
        if not node["ignored"] and role not in ("RootWebArea", "InlineTextBox", "generic", "none"):
            roles[role] = roles.get(role, 0) + 1
    stops = browser.ask("[...document.querySelectorAll('*')].filter((e) => e.tabIndex >= 0).length")
    most = sorted(roles.items(), key=lambda item: -item[1])
    return f"{stops} stops; " + (", ".join(f"{number} {role}" for role, number in most[:8]) or "nothing")


def packages(folder):
    """The pinned packages and the scripts that are made of them."""
    for name in ["package.json", "package-lock.json"]:
        if (HERE / name).exists():
            shutil.copy(HERE / name, folder)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True)
    modules = folder / "node_modules"
    for name, source in CUSTOM.items():
        made = modules / name
        if not made.exists():
            (folder / "in.js").write_text(source)
            subprocess.run([modules / ".bin/esbuild", "in.js", "--bundle", "--minify", "--format=iife", "--define:global=globalThis", "--loader:.css=empty",
                            "--log-level=error", f"--outfile={made}"], cwd=folder, check=True)
    return modules


def script_of(page):
    """The drawing script of a page of ours."""
    return max(re.findall(r"<script>(.*?)</script>", page, re.S), key=len)


def in_script(text):
    return re.sub(r"</(script)", r"<\\/\1", text, flags=re.I)


def candidate_page(library, figure, script, style, rows):
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{library}</title><style>{style} body {{ margin: 24px; }}
        #figure {{ width: 1214px; height: 594px; }}</style>
        <div id="figure" data-library="{library.partition('-')[0]}" data-kind="{figure}"></div>
        <script type="application/json" id="page">{rows}</script><script>{in_script(script)}</script>
        <script>{in_script((HERE / 'candidates.js').read_text())}</script></html>"""


def made_pages(args, folder, modules):
    """The pages by figure, number of marks, and library; and the scripts by library."""
    sample = folder / "sample"
    if not sample.exists():
        subprocess.run([args.dbcluster, "sample", "--rows", "200k", "--seed", "5", "--out", sample], check=True, stdout=subprocess.DEVNULL)
    scripts = {"nothing": "", "canvas": ""}
    for library, path in SCRIPTS.items():
        scripts[library] = "\n".join((modules / one).read_text() for one in [*BEFORE.get(library, []), path])
    pages = {}
    for figure in args.figures:
        for marks in args.marks:
            ours = folder / f"{figure}-{marks}-ours.html"
            query = EVENTS.format(events=sample / "processes.parquet", marks=marks)
            statement = f"COPY ({query}) TO '{ours}' STORED AS {figure.upper()} OPTIONS ({OPTIONS[figure]}, title '{figure} {marks}')"
            subprocess.run([args.dbcluster, "--quiet", "-c", statement], check=True, stdout=subprocess.DEVNULL)
            text = ours.read_text()
            scripts["plotly"] = script_of(text)
            rows = re.search(r'<script type="application/json" id="page">(.*?)</script>', text, re.S)[1]
            pages[figure, marks, "ours"] = ours
            # The policy of a page names its own script only.
            smaller = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace(scripts["plotly"], in_script(scripts["plotly-custom"]))
            pages[figure, marks, "ours-custom"] = folder / f"{figure}-{marks}-ours-custom.html"
            pages[figure, marks, "ours-custom"].write_text(smaller)
            for library, script in scripts.items():
                page = folder / f"{figure}-{marks}-{library}.html"
                style = (modules / STYLES[library]).read_text() if library in STYLES else ""
                page.write_text(candidate_page(library, figure, script, style, rows))
                pages[figure, marks, library] = page
    return pages, scripts


def print_scripts(scripts, folder):
    print("\n| script | MB | gzip, MB | version | licence | released |\n| --- | ---: | ---: | --- | --- | --- |")
    for library, script in scripts.items():
        size, small = len(script.encode()) / 1e6, len(gzip.compress(script.encode(), 9)) / 1e6
        version = licence = date = ""
        if library in PACKAGES:
            asked = subprocess.run(["npm", "view", PACKAGES[library], "--json", "version", "license", "time"], cwd=folder, capture_output=True, text=True)
            found = json.loads(asked.stdout) if asked.returncode == 0 else {}
            version, licence = found.get("version", ""), found.get("license", "")
            date = found.get("time", {}).get(version, "")[:10]
        elif library == "plotly":
            version = (re.search(r"plotly\.js v([\d.]+)", script) or ["", ""])[1]
        print(f"| {library} | {size:.2f} | {small:.2f} | {version} | {licence} | {date} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dbcluster", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--figures", nargs="+", choices=list(OPTIONS), default=list(OPTIONS))
    parser.add_argument("--marks", nargs="+", type=int, default=[1000, 20_000, 100_000])
    parser.add_argument("--only", nargs="+", help="these libraries beside ours")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--pictures", type=pathlib.Path, help="a folder for pictures of all pages")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "dbcluster-drawing-libraries")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.pictures:
        args.pictures.mkdir(parents=True, exist_ok=True)
    pages, scripts = made_pages(args, args.folder, packages(args.folder))
    print_scripts(scripts, args.folder)
    libraries = ["ours", *(args.only or ["ours-custom", *scripts])]
    results, accessible = {}, {}
    for time_ in range(args.times):
        for (figure, marks, library), page in pages.items():
            if library not in libraries:
                continue
            picture = args.pictures / page.stem if args.pictures and time_ == 0 else None
            try:
                found, browser = opened(page, library.startswith("ours"), picture)
            except RuntimeError as error:
                print(f"{figure}, {marks} marks, {library}: {error}", file=sys.stderr)
                continue
            if time_ == 0 and marks == min(args.marks) and figure == args.figures[0]:
                accessible[library] = told(browser)
            browser.close()
            results.setdefault((figure, marks, library), []).append(found)
            print(f"round {time_ + 1}: {page.stem} " + ", ".join(f"{key} {value:.3g}" for key, value in found.items()), file=sys.stderr, flush=True)
    for figure in args.figures:
        head = "".join(f" {what} {marks:,} |" for what in ["first", "zoom", "memory"] for marks in args.marks)
        print(f"\n{figure}:\n\n| library |{head}\n| --- |" + " ---: |" * (3 * len(args.marks)))
        for library in libraries:
            cells = ""
            for what, unit, factor in [("first", "s", 1), ("zoom", "s", 1), ("memory", "MB", 1e-6)]:
                for marks in args.marks:
                    values = [found[what] * factor for found in results.get((figure, marks, library), [])]
                    cells += f" {statistics.median(values):.{0 if unit == 'MB' else 2}f} {unit} |" if values else " - |"
            print(f"| {library} |{cells}")
    print("\n| library | for a keyboard and a screen reader |\n| --- | --- |")
    for library, text in accessible.items():
        print(f"| {library} | {text} |")


main()
