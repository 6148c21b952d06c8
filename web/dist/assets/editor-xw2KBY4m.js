import{c as e,n as t,r as n,s as r}from"./names-DaI6m3QL.js";import{a as i,i as a,r as o,t as s}from"./hooks-fGk1k4EC.js";import{n as c}from"./catalog-CsafsGNu.js";import{B as l,C as u,E as d,G as f,H as p,L as m,R as h,T as g,U as _,V as v,_ as y,b,d as ee,f as te,g as x,h as ne,i as S,l as re,n as ie,o as ae,p as oe,r as C,s as se,t as ce,u as le,v as ue,w as de,z as fe}from"./theme-CB4OaPNw.js";import{E as pe,F as me,N as he,P as w,S as ge,T,b as _e,h as ve,n as ye,r as E,t as D,v as O,w as k,x as be}from"./index-9bTVcQkH.js";import{a as A,n as j,o as M,s as N}from"./rollout-BgiNFzAM.js";import{a as xe,n as Se,r as P}from"./lines-DGGd7pEz.js";import{i as Ce,n as we,r as F}from"./drafts-CbOpZeqO.js";import{t as I}from"./jsxRuntime-SOXwPnIU.js";import{t as Te}from"./work-Bw2zelYa.js";var Ee={break:!0,case:!0,chan:!0,const:!0,continue:!0,default:!0,defer:!0,else:!0,fallthrough:!0,for:!0,func:!0,go:!0,goto:!0,if:!0,import:!0,interface:!0,map:!0,package:!0,range:!0,return:!0,select:!0,struct:!0,switch:!0,type:!0,var:!0,bool:!0,byte:!0,complex64:!0,complex128:!0,float32:!0,float64:!0,int8:!0,int16:!0,int32:!0,int64:!0,string:!0,uint8:!0,uint16:!0,uint32:!0,uint64:!0,int:!0,uint:!0,uintptr:!0,error:!0,rune:!0,any:!0,comparable:!0},De={true:!0,false:!0,iota:!0,nil:!0,append:!0,cap:!0,close:!0,complex:!0,copy:!0,delete:!0,imag:!0,len:!0,make:!0,new:!0,panic:!0,print:!0,println:!0,real:!0,recover:!0},L=/[+\-*&^%:=<>!|\/]/,R;function z(e,t){var n=e.next();if(n==`"`||n==`'`||n=="`")return t.tokenize=Oe(n),t.tokenize(e,t);if(/[\d\.]/.test(n))return n==`.`?e.match(/^[0-9]+([eE][\-+]?[0-9]+)?/):n==`0`?e.match(/^[xX][0-9a-fA-F]+/)||e.match(/^0[0-7]+/):e.match(/^[0-9]*\.?[0-9]*([eE][\-+]?[0-9]+)?/),`number`;if(/[\[\]{}\(\),;\:\.]/.test(n))return R=n,null;if(n==`/`){if(e.eat(`*`))return t.tokenize=B,B(e,t);if(e.eat(`/`))return e.skipToEnd(),`comment`}if(L.test(n))return e.eatWhile(L),`operator`;e.eatWhile(/[\w\$_\xa1-\uffff]/);var r=e.current();return Ee.propertyIsEnumerable(r)?((r==`case`||r=="default")&&(R=`case`),`keyword`):De.propertyIsEnumerable(r)?`atom`:`variable`}function Oe(e){return function(t,n){for(var r=!1,i,a=!1;(i=t.next())!=null;){if(i==e&&!r){a=!0;break}r=!r&&e!="`"&&i==`\\`}return(a||!(r||e=="`"))&&(n.tokenize=z),`string`}}function B(e,t){for(var n=!1,r;r=e.next();){if(r==`/`&&n){t.tokenize=z;break}n=r==`*`}return`comment`}function V(e,t,n,r,i){this.indented=e,this.column=t,this.type=n,this.align=r,this.prev=i}function H(e,t,n){return e.context=new V(e.indented,t,n,null,e.context)}function ke(e){if(e.context.prev){var t=e.context.type;return(t==`)`||t==`]`||t==`}`)&&(e.indented=e.context.indented),e.context=e.context.prev}}var Ae={name:`go`,startState:function(e){return{tokenize:null,context:new V(-e,0,`top`,!1),indented:0,startOfLine:!0}},token:function(e,t){var n=t.context;if(e.sol()&&(n.align??=!1,t.indented=e.indentation(),t.startOfLine=!0,n.type==`case`&&(n.type=`}`)),e.eatSpace())return null;R=null;var r=(t.tokenize||z)(e,t);return r==`comment`||(n.align??=!0,R==`{`?H(t,e.column(),`}`):R==`[`?H(t,e.column(),`]`):R==`(`?H(t,e.column(),`)`):R==`case`?n.type=`case`:(R==`}`&&n.type==`}`||R==n.type)&&ke(t),t.startOfLine=!1),r},indent:function(e,t,n){if(e.tokenize!=z&&e.tokenize!=null)return null;var r=e.context,i=t&&t.charAt(0);if(r.type==`case`&&/^(?:case|default)\b/.test(t))return r.indented;var a=i==r.type;return r.align?r.column+ +!a:r.indented+(a?0:n.unit)},languageData:{indentOnInput:/^\s([{}]|case |default\s*:)$/,commentTokens:{line:`//`,block:{open:`/*`,close:`*/`}}}},je=6,Me=class{packages;byPath;byName=new Map;constructor(e){this.packages=e,this.byPath=new Map(e.map(e=>[e.path,e]));for(let t of e)this.byName.set(t.name,[...this.byName.get(t.name)??[],t])}packageOf(e,t){return[...t.matchAll(/^\s*(?:import\s+)?(?:([\w.]+)\s+)?"([\w./-]+)"/gm)].map(([,e,t])=>({as:e,found:this.byPath.get(t)})).find(({as:t,found:n})=>n&&(t??n.name)===e)?.found??this.byName.get(e)?.[0]}after(e,t){let n=e.split(`.`);if(!U(n[0],t)){let e=this.packageOf(n[0],t);if(e&&n.length===1)return{of:e.name,words:e.words}}let r=this.typeOf(e,t,0),i=r?this.members(r,t):void 0;return r&&i?{of:r,words:i}:null}find(e,t,n){let r=this.after(e,n),i=r?.words.find(e=>e.n===t);return r&&i?{word:i,of:r.of}:null}members(e,t){let n=/^\*?(\w+)\.(\w+)$/.exec(e);return n?this.packageOf(n[1],t)?.words.find(e=>e.n===n[2])?.m:void 0}typeOf(e,t,n){if(n>je)return;let r=/^(.*?)\(.*\)$/s.exec(e);if(r)return this.resultsOf(r[1],t,n+1)[0];let i=e.lastIndexOf(`.`);if(i<0)return this.typeOfName(e,t,n);let[a,o]=[e.slice(0,i),e.slice(i+1)],s=U(a,t)?void 0:this.packageOf(a,t),c=(s?s.words:this.members(this.typeOf(a,t,n+1)??``,t))?.find(e=>e.n===o);return c?.k===`method`||c?.k===`func`?void 0:c?.t}resultsOf(e,t,n){let r=e.lastIndexOf(`.`);if(r<0)return[];let[i,a]=[e.slice(0,r),e.slice(r+1)],o=U(i,t)?void 0:this.packageOf(i,t),s=(o?o.words:this.members(this.typeOf(i,t,n+1)??``,t))?.find(e=>e.n===a&&(e.k===`func`||e.k===`method`))?.t;return s?Pe(s):[]}typeOfName(e,t,n){let r=`(?<![\\w.])${e}`,i=e=>[...t.matchAll(e)].at(-1),a=i(RegExp(`${r}\\s*:=\\s*range\\s+([\\w.]+(?:\\([^)\\n]*\\))?)`,`g`));if(a)return Ne(this.typeOf(a[1],t,n+1));let o=i(RegExp(`([\\w, ]*\\b${e}\\b[\\w, ]*):=\\s*&?([\\w.]+)(\\(|\\{)?`,`g`));if(o&&!/^range$/.test(o[2])){let r=o[1].split(`,`).findIndex(t=>t.trim().split(` `).at(-1)===e);return o[3]===`(`?this.resultsOf(o[2],t,n+1)[Math.max(r,0)]:o[3]===`{`?o[2]:this.typeOf(o[2],t,n+1)}return i(RegExp(`${r}\\s+(\\*?\\w+\\.\\w+)`,`g`))?.[1]}};function U(e,t){return/^\w+$/.test(e)?RegExp(`(?<![\\w."])${e}\\b[\\w, ]*:=|(?:[(,]|\\bvar)\\s*${e}\\s+[*\\w[]`).test(t):!1}function Ne(e){return e?.replace(/^(?:\[\d*\]|map\[[^\]]*\])/,``)}function Pe(e){let t=0,n=-1;for(let r=e.indexOf(`(`);r>=0&&r<e.length;r++)if(e[r]===`(`&&t++,e[r]===`)`&&--t===0){n=r;break}let r=n<0?``:e.slice(n+1).trim();return r.startsWith(`(`)?r.slice(1,-1).split(`,`).map(e=>e.trim().split(` `).at(-1)??``):r?[r]:[]}function W(){let e;return()=>e??=me(()=>import(`./words-DsD4lJSo.js`).then(e=>new Me(JSON.parse(e.default))),[])}var Fe={func:`function`,method:`method`,field:`property`,const:`constant`,var:`variable`,type:`type`},Ie=`break case const continue default defer else for func if import package range return struct switch type var nil true false`.split(` `),Le=/([A-Za-z_][\w.]*(?:\([^()\n]*\))?)\.(\w*)$/;function Re(e){return async t=>{let n=t.state.doc.lineAt(t.pos),r=n.text.slice(0,t.pos-n.from);if(/^\s*\/\//.test(r))return null;let i=await e(),a=t.state.sliceDoc(0),o=/^\s*(?:import\s+)?(?:\w+\s+)?"([\w./-]*)$/.exec(r);if(o){let e=i.packages.map(e=>({label:e.path,type:`namespace`,info:e.doc}));return{from:t.pos-o[1].length,options:e,validFor:/^[\w./-]*$/}}let s=Le.exec(r);if(s){let e=i.after(s[1],a.slice(0,n.from+s.index)||a)??i.after(s[1],a);return e?{from:t.pos-s[2].length,options:e.words.map(ze),validFor:/^\w*$/}:null}let c=t.matchBefore(/[A-Za-z_]\w*$/);if(!c&&!t.explicit)return null;let l=[...i.packages.map(e=>({label:e.name,detail:e.path,type:`namespace`,info:e.doc})),...Ie.map(e=>({label:e,type:`keyword`})),b(`if err != nil {
	return \${err}
}`,{label:`iferr`,detail:`return the error`,type:`keyword`})];return{from:c?.from??t.pos,options:l,validFor:/^\w*$/}}}function ze(e){return{label:e.n,type:Fe[e.k]??`text`,detail:Be(e),info:e.d}}function Be(e){let t=(e.t??``).replace(/^func/,``);return t.length>60?`${t.slice(0,59)}…`:t}function Ve(e){return v(async(t,n,r)=>{let i=t.state.doc.lineAt(n),a=t.state.wordAt(n);if(!a||a.from===n&&r<0)return null;let o=t.state.sliceDoc(a.from,a.to),s=t.state.sliceDoc(i.from,a.from),c=await e(),l=/([A-Za-z_][\w.]*(?:\([^()\n]*\))?)\.$/.exec(s),u=t.state.sliceDoc(0),d=l?c.find(l[1],o,u):null,f=l?void 0:c.packageOf(o,u);return!d&&!f?null:{pos:a.from,end:a.to,above:!0,create:e=>({dom:d?He(e,d):Ue(f)})}})}function He(e,{word:t,of:n}){return G(t.k===`func`||t.k===`method`?`func ${n}.${t.n}${(t.t??``).replace(/^func/,``)}`:`${t.k} ${n}.${t.n} ${t.t??``}`,t.d)}function Ue(e){return G(`package ${e.name} // import "${e.path}"`,e.doc)}function G(e,t){let n=document.createElement(`div`);n.className=`cm-tip`;let r=document.createElement(`code`);return r.textContent=e,n.append(r,t??``),n}var We=class extends HTMLElement{changed=()=>{};label=`Source`;text=``;marks=[];view;root=this.attachShadow({mode:`open`});connectedCallback(){let e=W();this.view=new m({root:this.root,parent:this.root,state:f.create({doc:this.text,extensions:[_(),fe(),l(),ee(),h(),g.of(`	`),f.tabSize.of(4),u.define(Ae),d(ce),de(),x(),ne({override:[Re(e)]}),Ve(e),ae(),p.of([...y,...le,...te,...ue,...se,oe]),m.contentAttributes.of({"aria-label":this.label,tabindex:`0`}),m.updateListener.of(e=>{let t=e.docChanged?e.state.sliceDoc(0):this.text;t!==this.text&&(this.text=t,this.changed(this.text))}),ie]})}),this.mark()}disconnectedCallback(){this.view?.destroy(),this.view=void 0}get value(){return this.text}set value(e){e!==this.text&&(this.text=e,this.view?.dispatch({changes:{from:0,to:this.view.state.doc.length,insert:e}}))}set faults(e){this.marks=e,this.mark()}goTo(e,t){let{view:n}=this;if(!n)return;let{from:r}=S(this.text,{line:e,col:Math.max(t,1)});n.dispatch({selection:{anchor:r},scrollIntoView:!0}),n.focus()}mark(){let{view:e}=this;if(!e)return;let t=this.marks.map(e=>({...e.line>0?S(this.text,e):{from:0,to:0},severity:`error`,message:e.fix?`${e.message}\n${e.fix}`:e.message}));e.dispatch(re(e.state,t.sort((e,t)=>e.from-t.from)))}};function Ge(){customElements.get(`go-editor`)||customElements.define(`go-editor`,We)}var K=[{id:`one-value`,title:`One value`,about:`A number under the inspector’s own name.`,source:`// Package zombies counts the processes that have ended and that nobody has asked for.
//
//vedette:name zombies
//vedette:interval 10s
package zombies

import (
	"context"

	"github.com/shirou/gopsutil/v3/process"
)

func Inspect(ctx context.Context) (float64, error) {
	all, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, p := range all {
		status, err := p.StatusWithContext(ctx)
		if err == nil && len(status) > 0 && status[0] == "zombie" {
			n++
		}
	}
	return float64(n), nil
}
`},{id:`many-values`,title:`Many values`,about:`Several numbers, each with labels.`,source:`// Package inodes tells how full the tables of inodes of each filesystem are.
//
//vedette:name inodes
//vedette:interval 10s
package inodes

import (
	"context"

	"github.com/shirou/gopsutil/v3/disk"
	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	parts, err := disk.PartitionsWithContext(ctx, false)
	if err != nil {
		return err
	}
	for _, p := range parts {
		u, err := disk.UsageWithContext(ctx, p.Mountpoint)
		if err != nil || u.InodesTotal == 0 {
			continue // it is gone meanwhile, or counts none
		}
		r.Gauge("used_percent", u.InodesUsedPercent, "mount", p.Mountpoint)
		r.Gauge("free", float64(u.InodesFree), "mount", p.Mountpoint)
	}
	return nil
}
`},{id:`rate`,title:`Rate from counters`,about:`What only grows; charts show how fast.`,source:`// Package switches counts how often the processors change from one task to another.
//
// A counter only grows. Report it as it is: charts and queries make a rate of it.
//
//vedette:name switches
//vedette:interval 5s
package switches

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(_ context.Context, r *inspectors.Report) error {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return err
	}
	for _, line := range strings.Split(string(text), "\\n") {
		name, rest, _ := strings.Cut(line, " ")
		if name != "ctxt" {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(rest), 10, 64)
		if err != nil {
			return err
		}
		r.Counter("switches_total", float64(n))
		return nil
	}
	return errors.New("/proc/stat has no line ctxt")
}
`},{id:`proc-file`,title:`Parse a /proc file`,about:`Lines and words of a file of the kernel.`,source:`// Package pressure tells how much of the time tasks waited for processors, memory and
// disks, as the kernel measures it.
//
//vedette:name pressure
//vedette:interval 5s
package pressure

import (
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(_ context.Context, r *inspectors.Report) error {
	for _, resource := range []string{"cpu", "memory", "io"} {
		text, err := os.ReadFile("/proc/pressure/" + resource)
		if err != nil {
			return err
		}
		// some avg10=0.12 avg60=0.05 avg300=0.01 total=123456
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\\n") {
			words := strings.Fields(line)
			for _, word := range words[1:] {
				name, value, ok := strings.Cut(word, "=")
				if !ok || name != "avg10" {
					continue
				}
				percent, err := strconv.ParseFloat(value, 64)
				if err != nil {
					return err
				}
				r.Gauge(words[0]+"_percent", percent, "resource", resource)
			}
		}
	}
	return nil
}
`},{id:`http-check`,title:`HTTP check`,about:`Whether a page answers, and how fast.`,source:`// Package web asks a server for a page, and tells whether and how fast it came.
//
//vedette:name web
//vedette:interval 10s
//vedette:timeout 5s
//vedette:needs net:127.0.0.1:8080
package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

const address = "http://127.0.0.1:8080/"

func Inspect(ctx context.Context, r *inspectors.Report) error {
	request, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return err
	}
	start := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Gauge("up", 0, "address", address)
		return err
	}
	defer response.Body.Close()
	size, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		return err
	}
	r.Gauge("up", 1, "address", address)
	r.Gauge("status", float64(response.StatusCode), "address", address)
	r.Gauge("answer_bytes", float64(size), "address", address)
	r.Gauge("duration_seconds", time.Since(start).Seconds(), "address", address)
	return nil
}
`},{id:`log-counter`,title:`Log counter`,about:`Counts lines, and remembers where it was.`,source:`// Package errors counts the lines of a log that say ERROR.
//
// Variables of the package keep their values from run to run: here how far the log
// has been read, and what was counted so far.
//
//vedette:name log/errors
//vedette:interval 5s
//vedette:needs fs:/var/log/app
package errors

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

const path = "/var/log/app/app.log"

var (
	started bool
	offset  int64
	count   float64
)

func Inspect(_ context.Context, r *inspectors.Report) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !started {
		started, offset = true, info.Size() // what was there before does not count
	}
	if info.Size() < offset {
		offset = 0 // another file has taken its place
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadString('\\n')
		if err != nil {
			break // the last line is not whole yet
		}
		offset += int64(len(line))
		if strings.Contains(line, "ERROR") {
			count++
		}
	}
	r.Counter("lines_total", count)
	return nil
}
`},{id:`program`,title:`Program’s output`,about:`What a program says that the host allows.`,source:`// Package unit tells how a service is, as systemd says: 0 is active.
//
// The host has to list the program under agent.policy.exec.
//
//vedette:name unit/ssh
//vedette:interval 15s
//vedette:needs exec:/usr/bin/systemctl
package unit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	output, err := inspectors.Exec(ctx, "/usr/bin/systemctl", "is-active", "ssh.service")
	var exit *inspectors.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	code := 0
	if exit != nil {
		code = exit.Code
	}
	fmt.Println("systemctl says:", strings.TrimSpace(string(output)))
	r.Gauge("status", float64(code))
	return nil
}
`}],Ke=250,qe=1e3,Je=class{rpc;of;source;name;base;selector=e(``);aimed;draft;checked=e(null);ran=e([]);fresh=e(!1);checkError=e(``);loads=e(0);timer;turn=0;constructor(t,n){this.rpc=t,this.of=n;let r=we(n);this.source=e(r?.source??``),this.base=e(r?.base??``),this.draft=e(r!==null),this.name=e(n),this.aimed=e(n===``)}start(e){let t=r(()=>{this.source.value,this.selector.value,this.name.value,this.fresh.value=!1,e.value.kind===`live`&&this.ask(Ke)});return()=>{t(),this.turn++,clearTimeout(this.timer)}}type(e){this.source.value=e,this.ran.value=[],Ce(this.of,{source:e,base:this.base.peek(),savedMs:Date.now()}),this.draft.value=!0}aim(e){this.aimed.peek()||(this.selector.value=e,this.aimed.value=!0)}begin(e,t){this.base.value=t,this.source.value=e,this.ran.value=[],this.draft.value=!1,F(this.of),this.loads.value++}pushed(e){this.base.value=e,this.draft.value=!1,F(this.of)}get code(){return q(this.source.value,this.name.value)}get isNamed(){return(J(this.source.value)||this.name.value)!==``}ask(e){clearTimeout(this.timer);let t=++this.turn;this.timer=setTimeout(()=>void this.check(t),e)}async check(e){if(this.source.peek().trim()===``)return;let t=q(this.source.peek(),this.name.peek());try{let n=await this.rpc.call(`catalog.check`,{code:t,selector:this.selector.peek()});if(e!==this.turn)return;this.checked.value={...n,diagnostics:n.diagnostics??[]},this.checkError.value=``,this.fresh.value=!0}catch(t){if(e!==this.turn)return;if(t instanceof w&&t.code===he.busy){this.ask(qe);return}this.checkError.value=t instanceof Error?t.message:String(t)}}},Ye=`unnamed/draft`;function q(e,t){return{name:J(e)?``:t||Ye,source:e}}function J(e){let t=e.split(/^package\s/m,1)[0];return/^\/\/vedette:name\s+(\S+)/m.exec(t)?.[1]??``}function Xe(e){let t=[`vedette`,`push`,`${e.name.split(`/`).at(-1)||`inspector`}.go`];return e.name&&t.push(`--name`,e.name),e.selector&&t.push(`--to`,e.selector),e.stages&&t.push(`--canary`,e.stages.replaceAll(` `,``)),e.bake&&t.push(`--bake`,e.bake.replaceAll(` `,``)),e.message&&t.push(`-m`,e.message),[...t,`--sign-key`,`signing.pem`].map(Ze).join(` `)}function Ze(e){return/^[\w./:=,%@+-]+$/.test(e)?e:`'${e.replaceAll(`'`,`'\\''`)}'`}var Y=12;function X(e){try{return e(),``}catch(e){return e instanceof Error?e.message:String(e)}}function Qe({session:e,router:t,work:r}){let i=r.checked.value?.name||r.of,a=D(e,`catalog.get`,{name:i},`catalog/${i}`),o=D(e,`catalog.revision`,{name:i,revision:a.data.value?.current??``}),[s,l,u]=[n(`1,100%`),n(`10s`),n(``)],d=n(!1),[f,p,m]=[n(!1),n(``),n(``)],h=a.data.value&&a.error.value===null?a.data.value:null,g=h&&h.current&&o.data.value?.id===h.current?o.data.value:null,_=r.checked.value,v=[X(()=>M(s.value)),X(()=>A(l.value))].filter(Boolean),y=r.isNamed&&r.aimed.value&&r.fresh.value&&_?.diagnostics.length===0&&v.length===0&&(!_.nobody||d.value)&&!f.value,b=async()=>{f.value=!0,p.value=m.value=``;try{let n=await e.rpc.call(`catalog.push`,{code:r.code,selector:r.selector.value,allow_none:d.value,message:u.value,plan:{stages:M(s.value),bake_ms:A(l.value)},version:h?.version??``},{timeout:6e4});r.pushed(n.revision),u.value=``,m.value=n.not_built?`It is pushed, but the master could not build it first: ${n.not_built}`:``,n.rollout?i===r.of?t.set({rollout:n.rollout},!0):t.go(ye(E(`/editor`,i),{rollout:n.rollout})):p.value=`Nothing changed: that is what runs already.`}catch(e){p.value=e instanceof Error?e.message:String(e),a.again()}finally{f.value=!1}};return I(`section`,{class:`card push-panel`,"aria-labelledby":`push-title`,children:[I(`h2`,{id:`push-title`,children:[`Push `,r.isNamed&&i]}),I(`div`,{class:`form`,children:[I(`label`,{children:[`To hosts with these labels`,I(`input`,{class:`field`,list:`labels-known`,placeholder:`every host`,value:r.selector,onInput:e=>r.selector.value=e.currentTarget.value})]}),I(`label`,{children:[`Stages`,I(`input`,{class:`field`,placeholder:`all at once`,value:s,onInput:e=>s.value=e.currentTarget.value})]}),I(`label`,{children:[`Each stays well for`,I(`input`,{class:`field`,placeholder:`10s`,value:l,onInput:e=>l.value=e.currentTarget.value})]}),I(`label`,{children:[`Message`,I(`input`,{class:`field`,placeholder:`why`,value:u,onInput:e=>u.value=e.currentTarget.value})]})]}),v.map(e=>I(`p`,{class:`said`,children:e})),h&&!h.deleted&&h.current!==r.base.value&&I(`p`,{class:`warn-text`,children:[h.author,` changed it to `,c(h.current),` since this was begun; a push takes the place of that.`]}),_&&I($e,{checked:_,allowNone:d}),_&&I(et,{checked:_,command:Xe({name:r.isNamed?i:``,selector:r.selector.value,stages:s.value,bake:l.value,message:u.value})}),g?.source!==void 0&&g.source!==r.source.value&&I(`details`,{children:[I(`summary`,{children:[`What changes from `,c(g.id),`, which runs now `,h?.selector!==r.selector.value&&I(O,{tone:`warn`,children:`other hosts`})]}),I(xe,{before:g.source,after:r.source.value,label:`What changes`})]}),I(`div`,{class:`row`,children:[I(`button`,{type:`button`,class:`button first`,disabled:!y,onClick:()=>void b(),children:f.value?`Pushing`:`Push`}),I(`span`,{class:`hint`,children:r.isNamed?v.length===0&&N({stages:M(s.value),bake_ms:A(l.value)}):`It has no name yet: give it one below the text.`})]}),p.value&&I(`p`,{class:`said`,role:`alert`,children:p}),m.value&&I(`p`,{class:`hint`,children:m}),t.get(`rollout`)&&I(j,{session:e,id:t.get(`rollout`)})]})}function $e({checked:e,allowNone:t}){let n=e.selected??[],r=e.hosts-Math.min(n.length,Y);return I(i,{children:[I(`p`,{class:`hint`,"data-hosts":e.hosts,children:[`Goes to `,e.hosts===1?`1 host`:`${e.hosts} hosts`,n.length>0&&`: ${n.slice(0,Y).join(`, `)}`,n.length>0&&r>0&&` and ${r} more`,`.`,(e.drops??0)>0&&` ${e.drops} that have it now lose it.`,(e.replaces??0)>0&&` It takes the place of the built-in inspector on ${e.replaces} of them; deleting it brings that back.`]}),e.nobody&&I(`p`,{class:`said`,children:[e.nobody,`.`,` `,I(`label`,{class:`check`,children:[I(`input`,{type:`checkbox`,checked:t.value,onChange:e=>t.value=e.currentTarget.checked}),` That is meant`]})]})]})}function et({checked:e,command:t}){let n=e.refusals??[];if(n.length===0)return null;let r=n.some(e=>e.reason.includes(`signed by`));return I(`div`,{class:`refusals`,children:[I(`p`,{class:`warn-text`,children:[n.length,` of `,e.hosts,` will refuse it:`]}),I(`ul`,{class:`plain-list`,tabIndex:0,"aria-label":`Hosts that will refuse it`,children:n.map(e=>I(`li`,{children:[I(`b`,{children:e.host}),` `,e.reason]},e.host))}),r&&I(i,{children:[I(`p`,{class:`hint`,children:`This page has no key. Save the code as a file, and push it signed from where your key is:`}),I(`pre`,{tabIndex:0,"aria-label":`The command that signs`,children:t})]})]})}var tt=200,nt=class{rpc;main;now;phase=e(`idle`);hosts=e([]);away=e([]);lines=e([]);error=e(``);faults=e([]);firstMs=e(0);chart;source=``;id=``;turn=0;pressed=0;early=[];stopHearing;constructor(e,t,n=()=>performance.now()){this.rpc=e,this.main=t,this.now=n,this.chart=new P(t)}async start(e,t,n){await this.stop();let r=++this.turn;this.pressed=this.now(),this.source=e.source??``,this.chart=new P(this.main),this.hosts.value=[],this.lines.value=[],this.away.value=[],this.faults.value=[],this.error.value=``,this.firstMs.value=0,this.early=[],this.phase.value=`starting`,this.stopHearing??=this.rpc.hear((e,t)=>e===`trial`&&this.report(t));try{let i={code:{...e,interval_ms:e.interval_ms??1e3},for_ms:n,...t},a=await this.rpc.call(`trials.start`,i);if(r!==this.turn){this.rpc.call(`trials.stop`,{trial:a.trial}).catch(()=>{});return}this.id=a.trial,this.away.value=a.away??[],this.hosts.value=(a.hosts??[]).map(e=>({host:e,state:`pending`,error:``,ended:!1,cost:null,values:[]})),this.phase.value=this.hosts.value.length>0?`running`:`ended`;for(let e of this.early.splice(0))this.report(e)}catch(e){if(r!==this.turn)return;this.phase.value=`ended`,this.error.value=e instanceof Error?e.message:String(e),this.faults.value=(e.data?.diagnostics??[]).slice()}}async stop(){this.turn++;let{id:e}=this;this.id=``,(this.phase.peek()===`running`||this.phase.peek()===`starting`)&&(this.phase.value=`ended`),e&&await this.rpc.call(`trials.stop`,{trial:e}).catch(()=>{})}lost(){this.phase.peek()===`running`&&(this.id=``,this.phase.value=`ended`,this.error.value=`The connection was lost, and the trial has ended with it.`)}close(){this.stop(),this.stopHearing?.(),this.stopHearing=void 0}report(e){if(this.phase.peek()===`starting`&&this.early.length<tt&&this.early.push(e),e.trial!==this.id||!this.id)return;this.hosts.value=this.hosts.peek().map(t=>t.host===e.host?rt(t,e):t),e.lines?.length&&(this.lines.value=[...this.lines.peek(),...e.lines.map(t=>({host:e.host,text:t}))].slice(-500));let t=Z(e);if(t.length>0&&this.firstMs.peek()===0&&(this.firstMs.value=Math.max(1,this.now()-this.pressed)),e.run)for(let n of t)this.chart.add({host:e.host,key:n.key,labels:n.labels},e.run.ts,n.value);this.hosts.peek().every(e=>e.ended)&&(this.id=``,this.phase.value=`ended`)}};function Z(e){return(e.run?.samples??[]).flatMap(e=>e.val===null?[]:{key:e.key,labels:e.labels??{},value:e.val})}function rt(e,t){let n=t.run?t.run.error??(t.run.more?`${t.run.more} values more are left out`:``):e.error;return{host:e.host,state:t.state??(t.run?t.run.error?`failed`:`healthy`:e.state),error:t.error??n,ended:e.ended||t.ended===!0,cost:t.cost??e.cost,values:t.run?.samples?Z(t):e.values}}var Q=[[1e4,`10 s`],[3e4,`30 s`],[12e4,`2 min`],[6e5,`10 min`]];function it(e){let t=new Map;for(let{host:n,error:r}of e){let e=C(r),i=e?`${e.line}:${e.col}`:``;e&&!t.has(i)&&t.set(i,{file:``,...e,message:`${n}: ${r}`})}return[...t.values()]}function $(e){return e.flatMap(e=>e.values.map(t=>{let n=t.key.split(`/`).slice(1).join(`/`)||t.key,{unit:r,rate:i}=pe(n,void 0),a=t.key+ve(t.labels);return{id:`${e.host} ${a}`,host:e.host,name:a,value:t.value,text:i?T(t.value,``):T(t.value,r)}}))}var at=[{id:`host`,title:`Host`,heads:!0,by:e=>e.host,cell:e=>e.host},{id:`name`,title:`Value of`,by:e=>e.name,cell:e=>I(`span`,{class:`reason`,children:e.name})},{id:`value`,title:`Now`,number:!0,by:e=>e.value,cell:e=>I(`span`,{title:String(e.value),children:e.text})}];function ot({session:e,store:t,view:i,work:o,goTo:c}){let l=a(()=>new nt(e.rpc,t),[]),u=n(``),d=n(Q[1][0]);s(()=>()=>l.close(),[]);let f=e.link.value.kind===`live`;s(()=>{f||l.lost()},[f]);let p=t.hosts.value.find(e=>e.info.value?.state===`up`&&!e.info.value.simple)?.name??``,m=u.value||(p?`host=${p}`:``);s(()=>r(()=>{let e=it(l.hosts.value);l.source===o.source.peek()&&(o.ran.value=e)}),[]);let h=l.phase.value===`running`||l.phase.value===`starting`,g=()=>void l.start(o.code,{selector:m},d.value);return s(()=>{let e=e=>{e.key===`Enter`&&(e.ctrlKey||e.metaKey)&&(e.preventDefault(),e.stopPropagation(),g())};return document.addEventListener(`keydown`,e,!0),()=>document.removeEventListener(`keydown`,e,!0)},[m,d.value]),I(`section`,{class:`card try`,"aria-labelledby":`try-title`,children:[I(`h2`,{id:`try-title`,children:`Try`}),I(`div`,{class:`form`,children:[I(`label`,{children:[`On hosts with these labels`,I(`input`,{class:`field`,list:`labels-known`,placeholder:m||`role=db`,value:u,onInput:e=>u.value=e.currentTarget.value})]}),I(`label`,{children:[`For`,I(`select`,{class:`field`,value:d.value,onChange:e=>d.value=Number(e.currentTarget.value),children:Q.map(([e,t])=>I(`option`,{value:e,children:t},e))})]})]}),I(`div`,{class:`row`,children:[I(`button`,{type:`button`,class:`button first`,title:`Ctrl or ⌘ with Enter`,disabled:!f||m===``,onClick:g,children:h?`Try again`:`Try`}),h&&I(`button`,{type:`button`,class:`button`,onClick:()=>void l.stop(),children:`Stop`}),I(`span`,{class:`hint`,role:`status`,"data-first":l.firstMs.value>0?Math.round(l.firstMs.value):void 0,children:st(l)})]}),l.error.value&&I(`p`,{class:`said`,role:`alert`,children:l.error}),l.away.value.length>0&&I(`p`,{class:`hint`,children:[`Away: `,l.away.value.join(`, `)]}),I(ct,{list:l.hosts.value,goTo:c}),l.chart.host.charts.value.length>0&&I(Se,{lines:l.chart,view:i}),$(l.hosts.value).length>0&&I(Te,{label:`Values by host`,columns:at,rows:$(l.hosts.value),id:e=>e.id}),l.lines.value.length>0&&I(`pre`,{class:`printed`,tabIndex:0,role:`region`,"aria-label":`What the script printed`,children:l.lines.value.map(e=>`${e.host}: ${e.text}\n`)})]})}function st(e){let t=e.firstMs.value,n=t>0?`, first sample after ${Math.round(t)} ms`:``;switch(e.phase.value){case`idle`:return`Runs once a second, saves nothing.`;case`starting`:return`Starting.`;case`running`:return`Running${n}.`;case`ended`:return`Ended${n}.`}}function ct({list:e,goTo:t}){return I(`ul`,{class:`plain-list`,children:e.map(e=>{let n=C(e.error);return I(`li`,{"data-host":e.host,children:[I(ge,{state:e.state,children:[e.host,`: `,e.state]}),` `,e.cost&&e.cost.runs>0&&I(`span`,{class:`hint`,children:[e.cost.runs,` runs`,e.cost.failures>0&&`, ${e.cost.failures} failed`,`, `,k(e.cost.cpu_seconds/e.cost.runs),` of a processor and`,` `,k(e.cost.duration_seconds/e.cost.runs),` each, `,e.cost.series,` series`]}),e.error&&I(`div`,{class:`said reason`,children:e.error}),n&&I(`button`,{type:`button`,class:`button`,onClick:()=>t(n.line,n.col),children:[`Go to line `,n.line]})]},e.host)})})}Ge();var lt=-32004;function ut({params:e,...r}){let{session:l,store:u,router:d}=r,f=e.name??``,p=a(()=>new Je(l.rpc,f),[f]),m=o(null),h=n(null);s(()=>p.start(l.link),[p]);let g=l.link.value.kind===`live`,_=async()=>{h.value=null;try{if(!f){p.draft.peek()||p.begin(K[1].source,``);return}let e=await l.rpc.call(`catalog.get`,{name:f});if(p.aim(e.selector),p.draft.peek())return;let t=d.get(`revision`)||e.current||e.history?.find(e=>e.revision)?.revision||``,n=await l.rpc.call(`catalog.revision`,{name:f,revision:t});if(n.source===void 0)throw Error(`it is a plugin; there is no source to edit`);p.begin(n.source,n.id)}catch(e){p.draft.peek()&&e instanceof w&&e.code===lt?p.aim(``):h.value=e}};s(()=>{g&&(p.source.peek()===``||!p.aimed.peek())&&_()},[p,g]);let v=t(()=>[...p.checked.value?.diagnostics??[],...p.ran.value]),y=(e,t)=>m.current?.goTo(e,t),b=async()=>{p.begin(``,``),await _()};return I(i,{children:[I(be,{title:f?`Edit ${f}`:`Write an inspector`,count:p.base.value&&`from ${c(p.base.value)}`,children:[p.draft.value&&I(O,{title:`It stays here, in this browser, until it is pushed.`,children:`draft kept`}),p.draft.value&&I(`button`,{type:`button`,class:`button`,onClick:()=>void b(),children:`Discard the draft`}),f&&I(`a`,{href:E(`/inspectors`,f),children:[`Back to `,f]})]}),h.value!==null&&I(_e,{what:`cannot open ${f}`,error:h.value,retry:()=>void _()}),!f&&I(ft,{work:p}),I(`datalist`,{id:`labels-known`,children:dt(u).map(e=>I(`option`,{value:e},e))}),I(`div`,{class:`work`,children:[I(`div`,{class:`card editor`,children:[I(`go-editor`,{ref:m,value:p.source.value,faults:v.value,changed:e=>p.type(e),label:`Source of the inspector`}),I(pt,{work:p,goTo:y}),I(mt,{work:p})]}),I(`div`,{children:[I(ot,{...r,work:p,goTo:y}),I(Qe,{...r,work:p})]})]})]})}function dt(e){let t=new Set;for(let n of e.hosts.value){for(let[e,r]of Object.entries(n.info.value?.labels??{}))t.add(`${e}=${r}`);t.add(`host=${n.name}`)}return[...t].sort().slice(0,500)}function ft({work:e}){return I(`div`,{class:`templates`,role:`group`,"aria-label":`Start from`,children:[I(`span`,{class:`hint`,children:`Start from:`}),K.map(t=>I(`button`,{type:`button`,class:`button`,title:t.about,disabled:e.draft.value,onClick:()=>e.begin(t.source,``),children:t.title},t.id)),e.draft.value&&I(`span`,{class:`hint`,children:`The draft would be lost; discard it first.`})]})}function pt({work:e,goTo:t}){let n=e.checked.value?.diagnostics??[];return n.length===0?null:I(`ul`,{class:`faults`,"aria-label":`Faults`,children:n.map((e,n)=>I(`li`,{children:I(`button`,{type:`button`,onClick:()=>t(e.line,e.col),children:[e.line>0&&I(`code`,{children:`${e.line}:${e.col} `}),e.message,e.fix&&I(i,{children:[` (`,e.fix,`)`]})]})},n))})}function mt({work:e}){let t=e.checked.value,n=t?.diagnostics.length??0;return I(`div`,{class:`row`,children:[!J(e.source.value)&&I(`label`,{class:`check`,children:[`Name`,I(`input`,{class:`field`,placeholder:`cpu/steal`,value:e.name,readOnly:e.of!==``,onInput:t=>e.name.value=t.currentTarget.value})]}),I(`span`,{class:`hint`,role:`status`,"data-checked":e.fresh.value?n:void 0,children:e.checkError.value||(e.fresh.value?n===1?`1 fault`:n>0?`${n} faults`:`No faults. Runs every ${k((t?.interval_ms??0)/1e3)}.`:`Checking.`)}),I(`span`,{class:`hint`,children:`Tab indents; Esc, then Tab leaves.`})]})}export{ut as default};