"""The HTML page in a real browser: click, search, fold, zoom, and a picture of it all.

`NETDEF_SCREENSHOTS=FOLDER` keeps the pictures, to be looked at.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from pathlib import Path

import pytest

from netdef import view
from netdef.diag import Report
from netdef.graph import State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import net_from_text
from netdef.view import chart, page

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "view"


def _load(name):
    spec = importlib.util.spec_from_file_location(f"view_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault(f"view_{name}", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


driver = _load("browser")
needs_browser = pytest.mark.skipif(
    driver.find() is None,
    reason="no Chromium or Chrome is installed; NETDEF_BROWSER may name one elsewhere",
)


def compiled(name):
    report = Report()
    path = GOLDEN / f"{name}.prototxt"
    document = net_from_text(path.read_text(), path.name, report)
    return compile_net(document, State(Phase.TEST), report, looking=True), report


def written(name, folder):
    net, report = compiled(name)
    path = folder / f"{name}.html"
    path.write_text(view.draw(net, format="html", report=report), "utf-8")
    return path


class TestFile:
    def test_it_needs_nothing_from_elsewhere(self):
        text = view.draw(compiled("googlenet")[0], format="html")
        assert "default-src 'none'" in text
        links = re.findall(r"https?://[^\s\"'<]+", text)
        assert set(links) <= {"http://www.w3.org/2000/svg"}  # a name, not an address
        assert not re.search(r"<(link|img|iframe|script src)", text)

    def test_names_cannot_end_the_script(self):
        report = Report()
        text = 'layer { name: "</script><b>" type: "Input" top: "<!--DATA-->" }'
        net = compile_net(net_from_text(text, "x", report), State(), report, looking=True)
        found = view.draw(net, format="html")
        assert found.count("</script>") == 2
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', found, re.S)
        assert json.loads(data[1])["items"][0]["name"] == "</script><b>"

    def test_all_wires_are_in_the_data(self):
        net, report = compiled("encoder_decoder")
        whole = chart.chart(net, report)
        lines = page.data(whole)["lines"]
        assert {(line[0], line[2]) for line in lines} == whole.edges


@pytest.fixture(scope="module")
def browser():
    with driver.Browser(driver.find()) as found:
        yield found


def shown(browser):
    return set(browser.run("[...document.querySelectorAll('.item')].map(e => e.dataset.key)"))


def edges(browser):
    pairs = "[...document.querySelectorAll('.line')].map(e => [e.dataset.from, e.dataset.to])"
    return {tuple(pair) for pair in browser.run(pairs)}


def through_boxes(browser):
    """Lines that run through the inside of a box."""
    return browser.run("""(() => {
      const boxes = [...document.querySelectorAll('.item')].map(item => {
        const r = [...item.querySelectorAll('.box')].pop().getBBox();
        return [r.x + 2, r.y + 2, r.x + r.width - 2, r.y + r.height - 2, item.dataset.key];
      });
      const bad = [];
      for (const line of document.querySelectorAll('.line')) {
        const long = line.getTotalLength();
        for (let at = 3; at < long - 3; at += 3) {
          const p = line.getPointAtLength(at);
          for (const [a, b, c, d, key] of boxes)
            if (p.x > a && p.x < c && p.y > b && p.y < d)
              bad.push([line.dataset.from, line.dataset.to, key]);
        }
      }
      return bad;
    })()""")


def overlaps(browser):
    """Pairs of boxes that cover each other, and texts wider than their boxes."""
    return browser.run("""(() => {
      const bad = [], boxes = [];
      for (const item of document.querySelectorAll('.item')) {
        const r = [...item.querySelectorAll('.box')].pop().getBBox();
        for (const [a, key] of boxes)
          if (a.x < r.x + r.width && r.x < a.x + a.width
              && a.y < r.y + r.height && r.y < a.y + a.height)
            bad.push([key, item.dataset.key]);
        boxes.push([r, item.dataset.key]);
        for (const text of item.querySelectorAll('text:not(.shape)')) {
          const t = text.getBBox();
          if (t.x + t.width > r.x + r.width - 1) bad.push(text.textContent);
        }
      }
      return bad;
    })()""")


def keep(browser, name, folder):
    folder = Path(os.environ.get("NETDEF_SCREENSHOTS") or folder)
    folder.mkdir(parents=True, exist_ok=True)
    browser.screenshot(folder / f"{name}.png")
    assert (folder / f"{name}.png").stat().st_size > 10_000  # more than an empty page


@needs_browser
class TestInABrowser:
    def test_look_search_fold_and_zoom(self, browser, tmp_path):
        browser.open(written("googlenet", tmp_path))
        keep(browser, "googlenet", tmp_path)
        start = shown(browser)
        folded = {key for key in start if key.startswith("b")}
        assert len(folded) == 8  # the first block of the pattern is open, the others are not
        assert ("0", "1") in edges(browser)
        assert not overlaps(browser)
        assert not through_boxes(browser)

        browser.click(".item[data-key='1'] .name")
        panel = browser.run("document.getElementById('panel').innerText")
        for text in ("conv1/7x7_s2", "Convolution", "64×3×7×7", "1×64×112×112", "kernel_size: 7"):
            assert text in panel
        assert "googlenet.prototxt:" in panel
        keep(browser, "googlenet.panel", tmp_path)

        browser.click("#search")
        browser.type("inception_4c/5x5")
        assert browser.run("document.getElementById('found').textContent") == "1 of 2"
        assert len(shown(browser)) > len(start)  # its block has opened
        assert len(browser.run("[...document.querySelectorAll('.hit')].map(e => 1)")) == 2
        browser.key("Enter")
        assert "2 of 2" in browser.run("document.getElementById('found').textContent")
        assert "inception_4c/5x5" in browser.run("document.getElementById('panel').innerText")
        keep(browser, "googlenet.search", tmp_path)
        browser.key("Escape")
        assert browser.run("document.querySelectorAll('.hit').length") == 0

        browser.click("#fold-all")
        few = shown(browser)
        assert len(few) < len(start)
        assert not overlaps(browser)
        assert not through_boxes(browser)
        keep(browser, "googlenet.folded", tmp_path)
        block = next(key for key in few if key.startswith("b"))
        browser.click(f".item[data-key='{block}'] .name")
        assert block not in shown(browser)
        number = block[1:]
        browser.run(
            f"document.querySelector('.handle[data-block=\"{number}\"] text')"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
        )
        assert shown(browser) == few
        browser.click("#unfold-all")
        browser.run("document.getElementById('in').click()")  # texts are measured: not from afar
        browser.run("document.getElementById('in').click()")
        net, report = compiled("googlenet")
        whole = chart.chart(net, report)
        assert edges(browser) == {(str(a), str(b)) for a, b in whole.edges}
        assert not overlaps(browser)
        assert not through_boxes(browser)
        browser.click("#fit")
        keep(browser, "googlenet.open", tmp_path)
        assert not browser.run(
            "document.querySelector('.item .name').getBoundingClientRect().width"
        )

        before = browser.run("document.getElementById('world').getAttribute('transform')")
        browser.mouse("mouseWheel", 600, 400, deltaX=0, deltaY=-300)
        after = browser.run("document.getElementById('world').getAttribute('transform')")
        scale = [float(t.split("scale(")[1][:-1]) for t in (before, after)]
        assert scale[1] > 1.3 * scale[0]
        browser.mouse("mousePressed", 40, 600, button="left", clickCount=1)
        browser.mouse("mouseMoved", 140, 640, button="left", buttons=1)
        browser.mouse("mouseReleased", 140, 640, button="left", clickCount=1)
        moved = browser.run("document.getElementById('world').getAttribute('transform')")
        place = [list(map(float, re.findall(r"[-\d.]+", t))) for t in (after, moved)]
        assert place[1][0] - place[0][0] == pytest.approx(100, abs=0.1)
        assert place[1][1] - place[0][1] == pytest.approx(40, abs=0.1)
        assert browser.complaints == []

    @pytest.mark.parametrize(
        "name", ["siamese", "lenet", "resnet50", "encoder_decoder", "lstm", "mistakes", "towers"]
    )
    def test_other_nets(self, browser, tmp_path, name):
        browser.open(written(name, tmp_path))
        browser.run("document.getElementById('unfold-all').click()")
        keep(browser, name, tmp_path)
        browser.run("for (let i = 0; i < 9; i++) document.getElementById('in').click()")
        net, report = compiled(name)
        whole = chart.chart(net, report)
        assert edges(browser) == {(str(a), str(b)) for a, b in whole.edges}
        assert not overlaps(browser)
        assert not through_boxes(browser)
        assert browser.complaints == []
        if name == "mistakes":
            browser.click("#fit")
            browser.click(".wrong .name")
            assert "error[N" in browser.run("document.getElementById('panel').innerText")
