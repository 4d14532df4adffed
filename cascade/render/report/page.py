"""The style sheet and the script of the page: both stand in it, and its policy names them by their digests."""

from cascade.render.looks import Paint
from cascade.render.pictures import STYLE as PICTURES


def _paints(mode: str) -> str:
    """The paints of the pictures as those of the page."""
    paints = (("ink", Paint.INK), ("soft", Paint.FAINT), ("ground", Paint.PAPER), ("band", Paint.GROUP))
    return "".join(f"--{name}:{getattr(paint, mode)};" for name, paint in (*paints, ("rule", Paint.BAND)))


STYLE = (
    f":root{{{_paints('light')}}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_paints('dark')}}}}}"
    """
:root{color-scheme:light dark;--link:#0550ae;
--broken:#a40e26;--broken-ground:#ffebe9;--risky:#7a4b00;--risky-ground:#fff4d6;--good:#116329;--mark:#fff8c5;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media screen and (prefers-color-scheme:dark){:root{--link:#79b8ff;--broken:#ff9d94;
--broken-ground:#3c1618;--risky:#f0c14b;--risky-ground:#332707;--good:#56d364;--mark:#2e2a12}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:break-word}
a{color:var(--link)}
.skip{position:absolute;left:-100vw}.skip:focus{left:1rem;top:1rem;padding:.5rem 1rem;
background:var(--ground);z-index:1}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
.page{max-width:78rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem;text-wrap:balance}
h2{font-size:1.35rem;line-height:1.25;margin:3rem 0 1rem;padding-top:1rem;border-top:1px solid var(--rule)}
h3{font-size:1.05rem;margin:2rem 0 .5rem}
h3 code,h1 code{background:none;padding:0}
p{margin:.75rem 0}.subtitle,figcaption,.soft{color:var(--soft)}
.lead{font-size:1.12rem;line-height:1.6}
code{font-family:var(--mono);font-size:.875em;background:var(--band);padding:.1em .3em;border-radius:4px}
ul{padding-left:1.25rem}li{margin:.25rem 0}
nav{margin:1.5rem 0 0}nav ol{margin:0;padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
.scroll{overflow-x:auto;margin:1rem 0}
.tall{max-height:36rem;overflow:auto}.tall th{position:sticky;top:0;background:var(--ground)}
table{border-collapse:collapse;font-size:.92rem;min-width:100%}
th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--rule)}
th{color:var(--soft);font-weight:600;white-space:nowrap}
th.figure,td.figure{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;
padding-right:1.75rem}
td code,.short{white-space:nowrap}td.long code{white-space:normal}
dl{display:grid;grid-template-columns:max-content 1fr;gap:0;margin:1rem 0;font-size:.95rem}
dt{font-weight:600;color:var(--soft);padding:.4rem 1.5rem .4rem 0;border-bottom:1px solid var(--rule)}
dd{margin:0;padding:.4rem 0;border-bottom:1px solid var(--rule);min-width:0}
figure{margin:1.25rem 0}.zoom+figcaption{margin-top:.4rem}
.sql{position:relative}.sql figcaption{font-size:.9rem;margin-bottom:.25rem;padding-right:5rem}
pre{margin:0;padding:.9rem 1rem;background:var(--band);border:1px solid var(--rule);border-radius:6px;overflow-x:auto}
pre code{background:none;padding:0;font-size:.82rem;line-height:1.5}
button,select{font:inherit;font-size:.9rem;color:inherit;background:var(--ground);border:1px solid var(--rule);
border-radius:6px;padding:.25rem .7rem;cursor:pointer}
button:hover,select:hover{border-color:var(--soft)}
.copy{position:absolute;top:0;right:0;padding:.05rem .6rem}
.sql figcaption:empty{min-height:1.75rem}
.zoom{font-size:.9rem}.zoom label{margin:0 1rem 0 .25rem;cursor:pointer}
.pane{overflow:auto;margin-top:.5rem;border:1px solid var(--rule);border-radius:6px;padding:.5rem;max-height:64rem}
.pane svg{display:block;max-width:100%;height:auto;margin:0 auto}
.actual:checked~.pane svg{max-width:none}
.double:checked~.pane svg{max-width:none;width:200%}
details{margin:.5rem 0}summary{cursor:pointer;padding:.2rem 0}
details>:not(summary){margin-left:1.1rem}
.group>summary{padding:.4rem 0;border-bottom:1px solid var(--rule)}
.card{border:1px solid var(--rule);border-radius:6px;margin:.6rem 0;padding:.35rem 1rem}
.card>summary{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem .75rem;list-style:none}
.card>summary::-webkit-details-marker{display:none}
.card>summary::before{content:"▸";color:var(--soft)}.card[open]>summary::before{content:"▾"}
.card>:not(summary){margin-left:0}
.card .kind{color:var(--soft);font-size:.9rem;margin-left:auto}
.badge{font-size:.8rem;font-weight:600;border:1px solid;border-radius:1rem;padding:0 .6rem}
.badge.broken{color:var(--broken);background:var(--broken-ground)}
.badge.risky{color:var(--risky);background:var(--risky-ground);border-style:dashed}
.filter{display:flex;flex-wrap:wrap;gap:.75rem 1.25rem;align-items:center;margin:1rem 0}
.filter[hidden],[hidden]{display:none}
.person{border:2px dashed var(--soft);border-radius:6px;background:var(--mark);padding:.75rem 1rem;margin:1.5rem 0}
.person strong{display:block}
@media screen and (max-width:40rem){.fit:checked~.pane svg{max-width:none;width:48rem}}
@media (max-width:40rem){dl{grid-template-columns:1fr}dt{border:0;padding-bottom:0}.card .kind{margin-left:0}}
@media print{
:root{color-scheme:light;--ink:#000;--soft:#444;--ground:#fff;--rule:#ccc;--link:#000;--broken-ground:#fff;
--risky-ground:#fff;--mark:#fff}
@page{margin:16mm}
html{font-size:9.5pt}body{font-size:1rem}.page{padding:0;max-width:none}
nav,.skip,.filter,.copy,.zoom>input,.zoom>label{display:none}
.pane{border:0;padding:0;max-height:none;overflow:visible}.pane svg{max-width:100%!important;width:auto!important}
h1{font-size:18pt}h2{font-size:13pt;margin-top:1.5rem}h2,h3,summary{break-after:avoid}
pre,pre code{white-space:pre-wrap}tr,.card>summary,.person,figure.picture-frame{break-inside:avoid}
table{font-size:.88rem}td code{white-space:normal}
.scroll,.tall{overflow:visible;max-height:none}.tall th{position:static}
details::details-content{content-visibility:visible;block-size:auto}}
""" + PICTURES
)

SCRIPT = """
"use strict";
for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;

const said = document.getElementById("said");

async function copied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const done = await copied(button.parentElement.querySelector("code"));
  button.textContent = done ? "Copied" : "Selected";
  said.textContent = done ? "Copied." : "Selected: press Ctrl+C.";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});

for (const form of document.querySelectorAll("form.filter")) {
  const cards = [...form.parentElement.querySelectorAll(".card")];
  const groups = [...form.parentElement.querySelectorAll(".group")];
  const choices = [...form.querySelectorAll("select")];
  const count = form.querySelector("output");
  const show = () => {
    let shown = 0;
    for (const card of cards) {
      const wanted = choices.every((choice) => !choice.value || card.dataset[choice.name] === choice.value);
      card.hidden = !wanted;
      shown += wanted;
    }
    const chosen = choices.some((choice) => choice.value);
    for (const group of groups) {
      group.hidden = !group.querySelector(".card:not([hidden])");
      if (chosen) group.open = !group.hidden;
    }
    count.value = `${shown} of ${cards.length} shown`;
  };
  form.addEventListener("change", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
}

let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const part of closed) part.open = true;
});
addEventListener("afterprint", () => { for (const part of closed) part.open = false; });
"""
