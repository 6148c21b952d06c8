import{B as e,C as t,H as n,I as r,R as i,T as a,V as o,_ as s,n as c,r as l,t as u,w as d,x as f,z as p}from"./index-tvtxB1H3.js";import{a as m,i as h,r as g,t as _}from"./hooks-fGk1k4EC.js";import{n as v}from"./catalog-CsafsGNu.js";import{a as y,i as b,r as x,t as S}from"./work-CP9tlov2.js";import{a as C,n as w,t as T}from"./units-s0EiMIJA.js";import{a as E,n as D,o as O,s as k}from"./rollout-DTZd3uvK.js";import{a as A,n as j,r as M}from"./lines-BFyR30Wo.js";import{r as N}from"./theme-CB4OaPNw.js";import{t as P}from"./table-DJ1x3UuB.js";/* empty css             */var F=[{id:`one-value`,title:`One value`,about:`A number under the inspector’s own name.`,source:`// Package zombies counts the processes that have ended and that nobody has asked for.
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
`}],I=12;function L(e){try{return e(),``}catch(e){return e instanceof Error?e.message:String(e)}}function R({session:t,router:n,work:r}){let a=r.checked.value?.name||r.of,o=u(t,`catalog.get`,{name:a},`catalog/${a}`),s=u(t,`catalog.revision`,{name:a,revision:o.data.value?.current??``}),[d,p,m]=[e(`1,100%`),e(`10s`),e(``)],h=e(!1),[g,_,y]=[e(!1),e(``),e(``)],x=o.data.value&&o.error.value===null?o.data.value:null,S=x&&x.current&&s.data.value?.id===x.current?s.data.value:null,C=r.checked.value,w=[L(()=>O(d.value)),L(()=>E(p.value))].filter(Boolean),T=r.isNamed&&r.aimed.value&&r.fresh.value&&C?.diagnostics.length===0&&w.length===0&&(!C.nobody||h.value)&&!g.value,j=async()=>{g.value=!0,_.value=y.value=``;try{let e=await t.rpc.call(`catalog.push`,{code:r.code,selector:r.selector.value,allow_none:h.value,message:m.value,plan:{stages:O(d.value),bake_ms:E(p.value)},version:x?.version??``},{timeout:6e4});r.pushed(e.revision),m.value=``,y.value=e.not_built?`It is pushed, but the master could not build it first: ${e.not_built}`:``,e.rollout?a===r.of?n.set({rollout:e.rollout},!0):n.go(c(l(`/editor`,a),{rollout:e.rollout})):_.value=`Nothing changed: that is what runs already.`}catch(e){_.value=e instanceof Error?e.message:String(e),o.again()}finally{g.value=!1}};return i(`section`,{class:`card push-panel`,"aria-labelledby":`push-title`,children:[i(`h2`,{id:`push-title`,children:[`Push `,r.isNamed&&a]}),i(`div`,{class:`form`,children:[i(`label`,{children:[`To hosts with these labels`,i(`input`,{class:`field`,list:`labels-known`,placeholder:`every host`,value:r.selector,onInput:e=>r.selector.value=e.currentTarget.value})]}),i(`label`,{children:[`Stages`,i(`input`,{class:`field`,placeholder:`all at once`,value:d,onInput:e=>d.value=e.currentTarget.value})]}),i(`label`,{children:[`Each stays well for`,i(`input`,{class:`field`,placeholder:`10s`,value:p,onInput:e=>p.value=e.currentTarget.value})]}),i(`label`,{children:[`Message`,i(`input`,{class:`field`,placeholder:`why`,value:m,onInput:e=>m.value=e.currentTarget.value})]})]}),w.map(e=>i(`p`,{class:`said`,children:e})),x&&!x.deleted&&x.current!==r.base.value&&i(`p`,{class:`warn-text`,children:[x.author,` changed it to `,v(x.current),` since this was begun; a push takes the place of that.`]}),C&&i(z,{checked:C,allowNone:h}),C&&i(B,{checked:C,command:b({name:r.isNamed?a:``,selector:r.selector.value,stages:d.value,bake:p.value,message:m.value})}),S?.source!==void 0&&S.source!==r.source.value&&i(`details`,{children:[i(`summary`,{children:[`What changes from `,v(S.id),`, which runs now `,x?.selector!==r.selector.value&&i(f,{tone:`warn`,children:`other hosts`})]}),i(A,{before:S.source,after:r.source.value,label:`What changes`})]}),i(`div`,{class:`row`,children:[i(`button`,{type:`button`,class:`button first`,disabled:!T,onClick:()=>void j(),children:g.value?`Pushing`:`Push`}),i(`span`,{class:`hint`,children:r.isNamed?w.length===0&&k({stages:O(d.value),bake_ms:E(p.value)}):`It has no name yet: give it one below the text.`})]}),_.value&&i(`p`,{class:`said`,role:`alert`,children:_}),y.value&&i(`p`,{class:`hint`,children:y}),n.get(`rollout`)&&i(D,{session:t,id:n.get(`rollout`)})]})}function z({checked:e,allowNone:t}){let n=e.selected??[],r=e.hosts-Math.min(n.length,I);return i(m,{children:[i(`p`,{class:`hint`,"data-hosts":e.hosts,children:[`Goes to `,e.hosts===1?`1 host`:`${e.hosts} hosts`,n.length>0&&`: ${n.slice(0,I).join(`, `)}`,n.length>0&&r>0&&` and ${r} more`,`.`,(e.drops??0)>0&&` ${e.drops} that have it now lose it.`,(e.replaces??0)>0&&` It takes the place of the built-in inspector on ${e.replaces} of them; deleting it brings that back.`]}),e.nobody&&i(`p`,{class:`said`,children:[e.nobody,`.`,` `,i(`label`,{class:`check`,children:[i(`input`,{type:`checkbox`,checked:t.value,onChange:e=>t.value=e.currentTarget.checked}),` That is meant`]})]})]})}function B({checked:e,command:t}){let n=e.refusals??[];if(n.length===0)return null;let r=n.some(e=>e.reason.includes(`signed by`));return i(`div`,{class:`refusals`,children:[i(`p`,{class:`warn-text`,children:[n.length,` of `,e.hosts,` will refuse it:`]}),i(`ul`,{class:`plain-list`,tabIndex:0,"aria-label":`Hosts that will refuse it`,children:n.map(e=>i(`li`,{children:[i(`b`,{children:e.host}),` `,e.reason]},e.host))}),r&&i(m,{children:[i(`p`,{class:`hint`,children:`This page has no key. Save the code as a file, and push it signed from where your key is:`}),i(`pre`,{tabIndex:0,"aria-label":`The command that signs`,children:t})]})]})}var V=200,H=class{rpc;main;now;phase=n(`idle`);hosts=n([]);away=n([]);lines=n([]);error=n(``);faults=n([]);firstMs=n(0);chart;source=``;id=``;turn=0;pressed=0;early=[];stopHearing;constructor(e,t,n=()=>performance.now()){this.rpc=e,this.main=t,this.now=n,this.chart=new M(t)}async start(e,t,n){await this.stop();let r=++this.turn;this.pressed=this.now(),this.source=e.source??``,this.chart=new M(this.main),this.hosts.value=[],this.lines.value=[],this.away.value=[],this.faults.value=[],this.error.value=``,this.firstMs.value=0,this.early=[],this.phase.value=`starting`,this.stopHearing??=this.rpc.hear((e,t)=>e===`trial`&&this.report(t));try{let i={code:{...e,interval_ms:e.interval_ms??1e3},for_ms:n,...t},a=await this.rpc.call(`trials.start`,i);if(r!==this.turn){this.rpc.call(`trials.stop`,{trial:a.trial}).catch(()=>{});return}this.id=a.trial,this.away.value=a.away??[],this.hosts.value=(a.hosts??[]).map(e=>({host:e,state:`pending`,error:``,ended:!1,cost:null,values:[]})),this.phase.value=this.hosts.value.length>0?`running`:`ended`;for(let e of this.early.splice(0))this.report(e)}catch(e){if(r!==this.turn)return;this.phase.value=`ended`,this.error.value=e instanceof Error?e.message:String(e),this.faults.value=(e.data?.diagnostics??[]).slice()}}async stop(){this.turn++;let{id:e}=this;this.id=``,(this.phase.peek()===`running`||this.phase.peek()===`starting`)&&(this.phase.value=`ended`),e&&await this.rpc.call(`trials.stop`,{trial:e}).catch(()=>{})}lost(){this.phase.peek()===`running`&&(this.id=``,this.phase.value=`ended`,this.error.value=`The connection was lost, and the trial has ended with it.`)}close(){this.stop(),this.stopHearing?.(),this.stopHearing=void 0}report(e){if(this.phase.peek()===`starting`&&this.early.length<V&&this.early.push(e),e.trial!==this.id||!this.id)return;this.hosts.value=this.hosts.peek().map(t=>t.host===e.host?W(t,e):t),e.lines?.length&&(this.lines.value=[...this.lines.peek(),...e.lines.map(t=>({host:e.host,text:t}))].slice(-500));let t=U(e);if(t.length>0&&this.firstMs.peek()===0&&(this.firstMs.value=Math.max(1,this.now()-this.pressed)),e.run)for(let n of t)this.chart.add({host:e.host,key:n.key,labels:n.labels},e.run.ts,n.value);this.hosts.peek().every(e=>e.ended)&&(this.id=``,this.phase.value=`ended`)}};function U(e){return(e.run?.samples??[]).flatMap(e=>e.val===null?[]:{key:e.key,labels:e.labels??{},value:e.val})}function W(e,t){let n=t.run?t.run.error??(t.run.more?`${t.run.more} values more are left out`:``):e.error;return{host:e.host,state:t.state??(t.run?t.run.error?`failed`:`healthy`:e.state),error:t.error??n,ended:e.ended||t.ended===!0,cost:t.cost??e.cost,values:t.run?.samples?U(t):e.values}}var G=[[1e4,`10 s`],[3e4,`30 s`],[12e4,`2 min`],[6e5,`10 min`]];function K(e){let t=new Map;for(let{host:n,error:r}of e){let e=N(r),i=e?`${e.line}:${e.col}`:``;e&&!t.has(i)&&t.set(i,{file:``,...e,message:`${n}: ${r}`})}return[...t.values()]}function q(e){return e.flatMap(e=>e.values.map(t=>{let n=t.key.split(`/`).slice(1).join(`/`)||t.key,{unit:r,rate:i}=C(n,void 0),a=t.key+s(t.labels);return{id:`${e.host} ${a}`,host:e.host,name:a,value:t.value,text:i?w(t.value,``):w(t.value,r)}}))}var J=[{id:`host`,title:`Host`,heads:!0,by:e=>e.host,cell:e=>e.host},{id:`name`,title:`Value of`,by:e=>e.name,cell:e=>i(`span`,{class:`reason`,children:e.name})},{id:`value`,title:`Now`,number:!0,by:e=>e.value,cell:e=>i(`span`,{title:String(e.value),children:e.text})}];function Y({session:t,store:n,view:r,router:a,work:s,goTo:c}){let l=h(()=>new H(t.rpc,n),[]),u=e(a.get(`to`)),d=e(G[1][0]);_(()=>()=>l.close(),[]);let f=t.link.value.kind===`live`;_(()=>{f||l.lost()},[f]);let p=n.hosts.value.find(e=>e.info.value?.state===`up`&&!e.info.value.simple)?.name??``,m=u.value||(p?`host=${p}`:``);_(()=>o(()=>{let e=K(l.hosts.value);l.source===s.source.peek()&&(s.ran.value=e)}),[]);let g=l.phase.value===`running`||l.phase.value===`starting`,v=()=>void l.start(s.code,{selector:m},d.value);return _(()=>{let e=e=>{e.key===`Enter`&&(e.ctrlKey||e.metaKey)&&(e.preventDefault(),e.stopPropagation(),v())};return document.addEventListener(`keydown`,e,!0),()=>document.removeEventListener(`keydown`,e,!0)},[m,d.value]),i(`section`,{class:`card try`,"aria-labelledby":`try-title`,children:[i(`h2`,{id:`try-title`,children:`Try`}),i(`div`,{class:`form`,children:[i(`label`,{children:[`On hosts with these labels`,i(`input`,{class:`field`,list:`labels-known`,placeholder:m||`role=db`,value:u,onInput:e=>u.value=e.currentTarget.value})]}),i(`label`,{children:[`For`,i(`select`,{class:`field`,value:d.value,onChange:e=>d.value=Number(e.currentTarget.value),children:G.map(([e,t])=>i(`option`,{value:e,children:t},e))})]})]}),i(`div`,{class:`row`,children:[i(`button`,{type:`button`,class:`button first`,title:`Ctrl or ⌘ with Enter`,disabled:!f||m===``,onClick:v,children:g?`Try again`:`Try`}),g&&i(`button`,{type:`button`,class:`button`,onClick:()=>void l.stop(),children:`Stop`}),i(`span`,{class:`hint`,role:`status`,"data-first":l.firstMs.value>0?Math.round(l.firstMs.value):void 0,children:X(l)})]}),l.error.value&&i(`p`,{class:`said`,role:`alert`,children:l.error}),l.away.value.length>0&&i(`p`,{class:`hint`,children:[`Away: `,l.away.value.join(`, `)]}),i(Z,{list:l.hosts.value,goTo:c}),l.chart.host.charts.value.length>0&&i(j,{lines:l.chart,view:r}),q(l.hosts.value).length>0&&i(P,{label:`Values by host`,columns:J,rows:q(l.hosts.value),id:e=>e.id}),l.lines.value.length>0&&i(`pre`,{class:`printed`,tabIndex:0,role:`region`,"aria-label":`What the script printed`,children:l.lines.value.map(e=>`${e.host}: ${e.text}\n`)})]})}function X(e){let t=e.firstMs.value,n=t>0?`, first sample after ${Math.round(t)} ms`:``;switch(e.phase.value){case`idle`:return`Runs once a second, saves nothing.`;case`starting`:return`Starting.`;case`running`:return`Running${n}.`;case`ended`:return`Ended${n}.`}}function Z({list:e,goTo:t}){return i(`ul`,{class:`plain-list`,children:e.map(e=>{let n=N(e.error);return i(`li`,{"data-host":e.host,children:[i(a,{state:e.state,children:[e.host,`: `,e.state]}),` `,e.cost&&e.cost.runs>0&&i(`span`,{class:`hint`,children:[e.cost.runs,` runs`,e.cost.failures>0&&`, ${e.cost.failures} failed`,`, `,T(e.cost.cpu_seconds/e.cost.runs),` of a processor and`,` `,T(e.cost.duration_seconds/e.cost.runs),` each, `,e.cost.series,` series`]}),e.error&&i(`div`,{class:`said reason`,children:e.error}),n&&i(`button`,{type:`button`,class:`button`,onClick:()=>t(n.line,n.col),children:[`Go to line `,n.line]})]},e.host)})})}y();var Q=-32004;function $({params:n,...a}){let{session:o,store:s,router:c}=a,u=n.name??``,y=h(()=>new S(o.rpc,u),[u]),b=g(null),x=e(null);_(()=>y.start(o.link),[y]);let C=o.link.value.kind===`live`,w=async()=>{x.value=null;try{if(!u){y.draft.peek()||y.begin(F[1].source,``);return}let e=await o.rpc.call(`catalog.get`,{name:u});if(y.aim(e.selector),y.draft.peek())return;let t=c.get(`revision`)||e.current||e.history?.find(e=>e.revision)?.revision||``,n=await o.rpc.call(`catalog.revision`,{name:u,revision:t});if(n.source===void 0)throw Error(`it is a plugin; there is no source to edit`);y.begin(n.source,n.id)}catch(e){y.draft.peek()&&e instanceof r&&e.code===Q?y.aim(``):x.value=e}};_(()=>{C&&(y.source.peek()===``||!y.aimed.peek())&&w()},[y,C]);let T=p(()=>[...y.checked.value?.diagnostics??[],...y.ran.value]),E=(e,t)=>b.current?.goTo(e,t),D=async()=>{y.begin(``,``),await w()};return i(m,{children:[i(d,{title:u?`Edit ${u}`:`Write an inspector`,count:y.base.value&&`from ${v(y.base.value)}`,children:[y.draft.value&&i(f,{title:`It stays here, in this browser, until it is pushed.`,children:`draft kept`}),y.draft.value&&i(`button`,{type:`button`,class:`button`,onClick:()=>void D(),children:`Discard the draft`}),u&&i(`a`,{href:l(`/inspectors`,u),children:[`Back to `,u]})]}),x.value!==null&&i(t,{what:`cannot open ${u}`,error:x.value,retry:()=>void w()}),!u&&i(te,{work:y}),i(`datalist`,{id:`labels-known`,children:ee(s).map(e=>i(`option`,{value:e},e))}),i(`div`,{class:`work`,children:[i(`div`,{class:`card editor`,children:[i(`go-editor`,{ref:b,value:y.source.value,faults:T.value,changed:e=>y.type(e),label:`Source of the inspector`}),i(ne,{work:y,goTo:E}),i(re,{work:y})]}),i(`div`,{children:[i(Y,{...a,work:y,goTo:E}),i(R,{...a,work:y})]})]})]})}function ee(e){let t=new Set;for(let n of e.hosts.value){for(let[e,r]of Object.entries(n.info.value?.labels??{}))t.add(`${e}=${r}`);t.add(`host=${n.name}`)}return[...t].sort().slice(0,500)}function te({work:e}){return i(`div`,{class:`templates`,role:`group`,"aria-label":`Start from`,children:[i(`span`,{class:`hint`,children:`Start from:`}),F.map(t=>i(`button`,{type:`button`,class:`button`,title:t.about,disabled:e.draft.value,onClick:()=>e.begin(t.source,``),children:t.title},t.id)),e.draft.value&&i(`span`,{class:`hint`,children:`The draft would be lost; discard it first.`})]})}function ne({work:e,goTo:t}){let n=e.checked.value?.diagnostics??[];return n.length===0?null:i(`ul`,{class:`faults`,"aria-label":`Faults`,children:n.map((e,n)=>i(`li`,{children:i(`button`,{type:`button`,onClick:()=>t(e.line,e.col),children:[e.line>0&&i(`code`,{children:`${e.line}:${e.col} `}),e.message,e.fix&&i(m,{children:[` (`,e.fix,`)`]})]})},n))})}function re({work:e}){let t=e.checked.value,n=t?.diagnostics.length??0;return i(`div`,{class:`row`,children:[!x(e.source.value)&&i(`label`,{class:`check`,children:[`Name`,i(`input`,{class:`field`,placeholder:`cpu/steal`,value:e.name,readOnly:e.of!==``,onInput:t=>e.name.value=t.currentTarget.value})]}),i(`span`,{class:`hint`,role:`status`,"data-checked":e.fresh.value?n:void 0,children:e.checkError.value||(e.fresh.value?n===1?`1 fault`:n>0?`${n} faults`:`No faults. Runs every ${T((t?.interval_ms??0)/1e3)}.`:`Checking.`)}),i(`span`,{class:`hint`,children:`Tab indents; Esc, then Tab leaves.`})]})}export{$ as default};