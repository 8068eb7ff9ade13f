-- SPDX-License-Identifier: Apache-2.0
--
-- The fixed parts of the docs page: frame, introduction, style and script. Templates are filled by docs_fields.html.
-- No address outside the page appears here: it has to work offline.
local M = {}

M.page = [[<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{!css}</style>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<input type="checkbox" id="menu" aria-label="Show the list of endpoints">
<aside>
<div class="top"><a class="brand" href="#content">{title}</a><span class="version">{version}</span>
<label for="menu" class="burger" aria-hidden="true"><i></i><i></i><i></i></label></div>
<div class="drawer">
<div class="search"><input type="search" id="filter" placeholder="Filter endpoints" aria-label="Filter endpoints"
 autocomplete="off" spellcheck="false"><kbd>/</kbd></div>
<nav aria-label="Endpoints">{!navigation}<p id="none" hidden>Nothing matches.</p></nav>
</div>
</aside>
<main id="content">
<div class="hero"><h1>{title} <span class="version">{version}</span></h1>{!text}
<p class="servers"><span>Base URL</span> {!servers}</p>
<p><a class="button" href="{openapi_url}">OpenAPI document</a>
<a class="button" href="?format=postman">Postman collection</a></p></div>
{!introduction}
{!sections}
</main>
<script>{!js}</script>
</body>
</html>
]]

M.introduction = [[<section class="intro" id="conventions"><h2>In every request</h2>
<div class="cards">
<div><h3>Token</h3><p>Endpoints marked <span class="chip lock">Bearer token</span> need
<code>Authorization: Bearer &lt;token&gt;</code>. Without a valid one they answer 401.</p></div>
<div><h3>Limits</h3>{!limits}<p><code>X-RateLimit-Limit</code>, <code>-Remaining</code> and <code>-Reset</code> say
where you are; a 429 carries <code>Retry-After</code> in seconds.</p></div>
<div><h3>Safe retries</h3><p>Send an <code>Idempotency-Key</code> with a POST, PUT or PATCH: for 24 hours the same key
gets the first answer again, and nothing happens twice.</p></div>
<div><h3>Unchanged answers</h3><p>JSON answers to GET carry an <code>ETag</code>. Send it back in
<code>If-None-Match</code>; 304 means that you have the current one.</p></div>
<div><h3>Request id</h3><p>Every answer has <code>X-Request-Id</code>. Quote it when you ask for help: it finds the
request in the server's log.</p></div>
<div><h3>Values</h3><p>Bodies are JSON in UTF-8. Times are ISO 8601 in UTC, like <code>2025-01-20T09:00:00Z</code>;
unknown fields are ignored.</p></div>
</div>{!error}</section>]]

M.css = [[
:root{--bg:#fff;--soft:#f6f7fb;--ink:#1b2033;--mute:#5b637a;--line:#e3e6ef;--accent:#4353d8;--req:#b3261e;
--code:#141827;--code2:#1d2236;--codeink:#dfe4f5;--codemute:#929bb8;--get:#0b7a5c;--post:#4353d8;
--put:#8a5a00;--patch:#a04a00;--delete:#b3261e;--r:10px;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media(prefers-color-scheme:dark){:root{--bg:#0e1119;--soft:#161a26;--ink:#e5e8f2;--mute:#9aa3ba;--line:#272d3d;
--accent:#93a0ff;--req:#ff9a91;--code:#151a28;--code2:#1c2233;--get:#4fd1a5;--post:#93a0ff;--put:#e8b54a;
--patch:#f3a45c;
--delete:#ff9a91}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:24px;-webkit-text-size-adjust:100%}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--bg);color:var(--ink);
font:15px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
"DejaVu Sans",sans-serif}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
code,pre,kbd{font-family:var(--mono);font-size:.88em}
p{margin:.5em 0}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;z-index:9;background:var(--bg);padding:8px}
#menu{position:absolute;opacity:0;pointer-events:none}
aside{position:fixed;inset:0 auto 0 0;width:290px;background:var(--soft);border-right:1px solid var(--line);
display:flex;
flex-direction:column}
.top{padding:20px 20px 4px;display:flex;align-items:baseline;gap:8px}
.brand{font-weight:700;font-size:16px;color:var(--ink)}
.version{font-size:12px;color:var(--mute);border:1px solid var(--line);border-radius:99px;padding:1px 8px;
font-weight:500;
vertical-align:middle;white-space:nowrap}
.burger{display:none}
.drawer{display:flex;flex-direction:column;min-height:0;flex:1}
.search{position:relative;margin:10px 16px 6px}
.search input{width:100%;padding:9px 34px 9px 12px;border:1px solid var(--line);border-radius:8px;
background:var(--bg);
color:var(--ink);font:inherit;font-size:14px}
.search kbd{position:absolute;right:10px;top:9px;color:var(--mute);border:1px solid var(--line);border-radius:4px;
padding:0 6px;line-height:20px;pointer-events:none}
nav{overflow-y:auto;padding:4px 10px 30px;flex:1}
nav h2{font-size:12px;letter-spacing:.04em;margin:18px 10px 4px;font-weight:650}
nav h2 a{color:var(--mute)}
nav section>a{display:flex;gap:10px;align-items:baseline;padding:4px 10px;border-radius:7px;color:var(--ink);
font-size:13.5px;line-height:1.45}
nav section>a:hover{background:var(--line);text-decoration:none}
nav section>a.here{background:var(--bg);box-shadow:inset 2px 0 0 var(--accent),0 0 0 1px var(--line)}
nav .m{flex:0 0 46px;font-size:10.5px;text-align:right}
#none{color:var(--mute);padding:10px}
.m{font:700 12px/1 var(--mono);letter-spacing:.02em}
.get{color:var(--get)}.post{color:var(--post)}.put{color:var(--put)}
.patch{color:var(--patch)}.delete{color:var(--delete)}
main{margin-left:290px;padding:44px 48px 120px;max-width:1330px}
h1{font-size:32px;line-height:1.2;margin:0 0 8px;letter-spacing:-.02em}
h2{font-size:23px;letter-spacing:-.01em;margin:0 0 4px}
.hero{max-width:760px}.hero>p:first-of-type{font-size:17px;color:var(--mute)}
.servers span{color:var(--mute);margin-right:4px}
.servers code,.what code,.intro p code,.spec p code,.tag>p code,.answer span code{background:var(--soft);
border:1px solid var(--line);
border-radius:5px;padding:1px 5px;overflow-wrap:anywhere}
.button{display:inline-block;border:1px solid var(--line);border-radius:8px;padding:6px 14px;font-size:14px;
margin-top:4px}
.button:hover{border-color:var(--accent);text-decoration:none}
.intro,.tag{margin-top:56px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:8px 36px;margin:14px 0 20px}
.cards h3{margin:8px 0 0;font-size:15px}.cards p,.cards ul{margin:4px 0;color:var(--mute);font-size:14px}
.cards ul{padding-left:18px}.cards b{color:var(--ink)}
.intro>.code{max-width:640px}
.tag>p{color:var(--mute);max-width:720px;margin:0}
article{border-top:1px solid var(--line);padding:30px 0 34px;margin-top:22px}
article h3{margin:0;font-size:18px;letter-spacing:-.005em}article h3 a{color:var(--ink)}
.route{display:flex;flex-wrap:wrap;align-items:center;gap:10px;margin:8px 0}
.route .m{border:1px solid currentColor;border-radius:6px;padding:4px 8px}
.route code{font-size:14.5px;overflow-wrap:anywhere}.route em{font-style:normal;color:var(--accent)}
.chips{display:flex;flex-wrap:wrap;gap:6px;margin:0}
.chip{font-size:12px;line-height:20px;border:1px solid var(--line);border-radius:99px;padding:0 9px;color:var(--mute);
white-space:nowrap}
.chip.lock::before,.chip.open::before{content:"";display:inline-block;width:7px;height:7px;border-radius:9px;
margin-right:6px;background:var(--accent)}
.chip.open::before{background:var(--get)}
.cols{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,430px);gap:36px;margin-top:10px}
.side{position:sticky;top:24px;align-self:start;padding-top:14px}
h4{margin:20px 0 6px;font-size:13px;font-weight:650}h4 small,.answer small{color:var(--mute);font-weight:400}
.fields{border:1px solid var(--line);border-radius:var(--r)}
.field{display:grid;grid-template-columns:minmax(120px,36%) minmax(0,1fr);gap:2px 16px;padding:9px 14px}
.field+.field{border-top:1px solid var(--line)}
.name code{font-weight:650;font-size:13.5px;overflow-wrap:anywhere}
.req{display:block;color:var(--req);font-size:12px;line-height:1.3}
.what{font-size:14px}.what p{margin:2px 0 0;color:var(--mute)}
.type{font-weight:550}.limits{color:var(--mute);margin-left:6px}
.choices{display:flex;flex-wrap:wrap;gap:4px;margin-top:4px}
.field>.fields{grid-column:1/-1;margin:6px 0 4px}
.answer{padding:7px 0;font-size:14px;border-bottom:1px solid var(--line)}
.answer .fields,.answer .code{margin:10px 0 6px}.answer .req{display:none}
summary{cursor:pointer;list-style:none}summary::-webkit-details-marker{display:none}
.answer>summary,div.answer{display:flex;gap:10px;align-items:baseline}
.answer>summary>span,div.answer>span{flex:1}
details.answer>summary::after{content:"+";color:var(--mute);font:16px/1.4 var(--mono)}
details.answer[open]>summary::after{content:"–"}
.st{font:700 13px var(--mono);color:var(--mute)}.st.ok{color:var(--get)}.st.err{color:var(--req)}
.note{color:var(--mute);margin:10px 14px}
.code{background:var(--code);border-radius:var(--r);overflow:hidden;margin-bottom:14px;color:var(--codeink);
border:1px solid transparent}
@media(prefers-color-scheme:dark){.code{border-color:var(--line)}}
.bar{display:flex;justify-content:space-between;align-items:center;background:var(--code2);padding:5px 8px 5px 14px;
font-size:12.5px;color:var(--codemute)}
.copy{font:inherit;color:var(--codemute);background:none;border:0;border-radius:5px;padding:3px 8px;cursor:pointer}
.copy:hover{color:#fff;background:#ffffff1c}
pre{margin:0;padding:13px 14px;overflow:auto;max-height:460px;line-height:1.55;white-space:pre-wrap;
overflow-wrap:anywhere}
pre code{font-size:12.6px}pre i{font-style:normal}
pre .k{color:#9db2ff}pre .s{color:#a5d9a0}pre .n{color:#f2b872}
[hidden]{display:none!important}
@media(max-width:1080px){.cols{grid-template-columns:minmax(0,1fr);gap:6px}.side{position:static}}
@media(max-width:820px){
html{scroll-padding-top:70px}
aside{position:sticky;top:0;inset:auto;width:auto;border-right:0;border-bottom:1px solid var(--line);z-index:5}
.top{padding:12px 18px;align-items:center}
.burger{display:grid;gap:4px;margin-left:auto;padding:10px 6px;cursor:pointer}
.burger i{display:block;width:20px;height:2px;background:var(--ink);border-radius:2px}
#menu:focus-visible~aside .burger{outline:2px solid var(--accent);border-radius:4px}
.drawer{display:none;position:absolute;top:100%;left:0;right:0;height:calc(100vh - 56px);height:calc(100dvh - 56px);
background:var(--soft);border-top:1px solid var(--line)}
#menu:checked~aside .drawer{display:flex}
.search input{font-size:16px}.search kbd{display:none}
nav section>a{padding:8px 10px;font-size:15px}
main{margin:0;padding:26px 18px 80px}h1{font-size:26px}
.intro,.tag{margin-top:44px}
.field{grid-template-columns:minmax(0,1fr)}.req{display:inline;margin-left:8px}
}
@media print{aside,.copy,.button{display:none}main{margin:0}.cols{display:block}}
]]

M.js = [[
(function(){
var $=function(s){return Array.prototype.slice.call(document.querySelectorAll(s))};
var filter=document.getElementById('filter'),menu=document.getElementById('menu');
var links=$('nav section>a'),articles=$('article');
function apply(){
var words=filter.value.toLowerCase().split(/\s+/).filter(Boolean),any=false;
articles.forEach(function(a,i){
var hit=words.every(function(w){return a.dataset.find.indexOf(w)>=0});
a.hidden=links[i].hidden=!hit;any=any||hit});
$('nav section,section.tag').forEach(function(s){
s.hidden=!s.querySelector('article:not([hidden]),:scope>a:not([hidden])')});
document.getElementById('conventions').hidden=words.length>0;
document.getElementById('none').hidden=any}
filter.addEventListener('input',apply);
document.addEventListener('keydown',function(e){
if(e.key==='/'&&!/INPUT|TEXTAREA/.test(document.activeElement.tagName)){e.preventDefault();filter.focus()}
if(e.key==='Escape'&&document.activeElement===filter){filter.value='';apply();filter.blur()}});
$('nav a').forEach(function(a){a.addEventListener('click',function(){menu.checked=false})});
document.addEventListener('click',function(e){
if(!e.target.classList.contains('copy'))return;
var b=e.target,text=b.closest('.code').querySelector('code').textContent;
function done(){b.textContent='Copied';setTimeout(function(){b.textContent='Copy'},1500)}
function old(){var t=document.createElement('textarea');t.value=text;document.body.appendChild(t);t.select();
document.execCommand('copy');t.remove();done()}
if(navigator.clipboard&&window.isSecureContext)navigator.clipboard.writeText(text).then(done,old);else old()});
if('IntersectionObserver' in window){
var seen=new IntersectionObserver(function(rows){rows.forEach(function(r){
if(!r.isIntersecting)return;
links.forEach(function(l){var on=l.getAttribute('href')==='#'+r.target.id;
if(on&&!l.classList.contains('here')&&innerWidth>820)l.scrollIntoView({block:'nearest'});
l.classList.toggle('here',on)})})},{rootMargin:'0px 0px -75% 0px'});
articles.forEach(function(a){seen.observe(a)})}
})();
]]

return M
