"""The one sheet of every page: light and dark, wide and narrow, screen and paper."""

STYLE = """
:root{--ink:#1b1f24;--soft:#5b6470;--line:#d8dde3;--paper:#fff;--panel:#f5f7f9;--good:#116b35;--bad:#b3201b;
--unsure:#8a5a00;--gone:#ffdcd9;--came:#cff3d8;--band:#e4e8ed}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--soft:#9aa4b0;--line:#353c45;--paper:#12161b;--panel:#1a2027;
--good:#4cc47a;--bad:#ff7b72;--unsure:#e0ac46;--gone:#5c2320;--came:#17472a;--band:#2c343d}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1.25rem 1rem 3rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .4rem;overflow-wrap:anywhere}
p{margin:.4rem 0;overflow-wrap:anywhere}ul{margin:.4rem 0;padding-left:1.2rem}li{margin:.2rem 0;overflow-wrap:anywhere}
small,.soft{color:var(--soft);font-size:.86rem}a{color:inherit}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;font-size:.9rem;margin:.8rem 0 0}
.lead{font-size:1.05rem}.lead b{white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad)}.unsure{color:var(--unsure)}.none{color:var(--soft)}
.decision{border-left:.35rem solid var(--soft);background:var(--panel);padding:.7rem 1rem;margin:0 0 1rem;
border-radius:.2rem}.decision.good{border-color:var(--good)}.decision.bad{border-color:var(--bad)}
.decision.unsure{border-color:var(--unsure)}.decision h1{margin:0}
.scroll{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:.35rem .6rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:middle}
th{font-weight:600;color:var(--soft);font-size:.84rem;vertical-align:bottom}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.name{overflow-wrap:anywhere;min-width:8rem;max-width:22rem}td.word{font-weight:600;white-space:nowrap}
td.value{overflow-wrap:anywhere;min-width:7rem}
svg{display:block;max-width:100%;overflow:visible}svg.plot{width:15rem;min-width:9rem;max-width:none;height:1.75rem}
th.plot{min-width:9rem;text-align:center}
svg text{fill:var(--soft);font-size:11px}
.axis{stroke:var(--soft);stroke-width:1}.band{fill:var(--band)}.edge{stroke:var(--soft);stroke-width:1.5}
.reach{stroke-width:3;stroke:currentColor}.dot{fill:currentColor}
.path{fill:none;stroke:currentColor;stroke-width:2}
details{border:1px solid var(--line);border-radius:.3rem;margin:.4rem 0;background:var(--paper)}
details>summary{cursor:pointer;padding:.45rem .7rem;overflow-wrap:anywhere}
details[open]>summary{background:var(--panel);border-bottom:1px solid var(--line)}
details>div{padding:.3rem .8rem .8rem}
.tag{font-weight:600;margin-right:.5em}
pre,code{font:.88rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:.5rem .6rem;background:var(--panel);
border-radius:.25rem}
.label{color:var(--soft);font-size:.84rem;margin:.6rem 0 .15rem}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:0 .8rem}.sides>div{min-width:0}
del{background:var(--gone);text-decoration:line-through;text-decoration-thickness:1px}
ins{background:var(--came);text-decoration:underline;text-decoration-thickness:1px;text-underline-offset:.15em}
@media (max-width:60rem){svg.plot{width:10rem}td.name{min-width:9.5rem}th,td{padding:.35rem .4rem}}
@media (max-width:40rem){body{padding:1rem .7rem 2rem}.sides{grid-template-columns:1fr}
svg.plot{width:9rem}th,td{padding:.3rem .4rem}h1{font-size:1.25rem}}
@media print{:root{--ink:#000;--paper:#fff;--panel:#fff;--line:#bbb;--soft:#444;--good:#0b5427;--bad:#8f1410;
--unsure:#6d4700;--gone:#ffdcd9;--came:#cff3d8;--band:#e4e8ed}body{max-width:none;font-size:11pt}
nav{display:none}.scroll{overflow:visible}details{break-inside:avoid}
details::details-content{content-visibility:visible;display:block}}
"""
