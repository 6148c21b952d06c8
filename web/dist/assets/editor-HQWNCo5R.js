import{n as e,o as t,s as n,t as r}from"./signals.module-BCKVgM9h.js";import{a as i,i as a,r as o,t as s}from"./hooks-fGk1k4EC.js";import{n as c}from"./catalog-CsafsGNu.js";import{a as l,i as u,r as d,t as f}from"./work-Bla_t7rl.js";import{C as p,D as m,E as h,L as g,S as _,T as v,h as y,n as b,r as x,t as S,x as C,y as w}from"./index-RINo-C9P.js";import{a as T,n as E,o as D,s as O}from"./rollout-CWHzqJg-.js";import{a as k,n as A,r as j}from"./lines-DSHmx_e7.js";import{t as M}from"./jsxRuntime-SOXwPnIU.js";import{r as N}from"./theme-CB4OaPNw.js";import{t as P}from"./work-DZxmLSMS.js";var F=[{id:`one-value`,title:`One value`,about:`A number under the inspector’s own name.`,source:`// Package zombies counts the processes that have ended and that nobody has asked for.
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
`}],I=12;function L(e){try{return e(),``}catch(e){return e instanceof Error?e.message:String(e)}}function R({session:t,router:n,work:r}){let i=r.checked.value?.name||r.of,a=S(t,`catalog.get`,{name:i},`catalog/${i}`),o=S(t,`catalog.revision`,{name:i,revision:a.data.value?.current??``}),[s,l,d]=[e(`1,100%`),e(`10s`),e(``)],f=e(!1),[p,m,h]=[e(!1),e(``),e(``)],g=a.data.value&&a.error.value===null?a.data.value:null,_=g&&g.current&&o.data.value?.id===g.current?o.data.value:null,v=r.checked.value,y=[L(()=>D(s.value)),L(()=>T(l.value))].filter(Boolean),C=r.isNamed&&r.aimed.value&&r.fresh.value&&v?.diagnostics.length===0&&y.length===0&&(!v.nobody||f.value)&&!p.value,A=async()=>{p.value=!0,m.value=h.value=``;try{let e=await t.rpc.call(`catalog.push`,{code:r.code,selector:r.selector.value,allow_none:f.value,message:d.value,plan:{stages:D(s.value),bake_ms:T(l.value)},version:g?.version??``},{timeout:6e4});r.pushed(e.revision),d.value=``,h.value=e.not_built?`It is pushed, but the master could not build it first: ${e.not_built}`:``,e.rollout?i===r.of?n.set({rollout:e.rollout},!0):n.go(b(x(`/editor`,i),{rollout:e.rollout})):m.value=`Nothing changed: that is what runs already.`}catch(e){m.value=e instanceof Error?e.message:String(e),a.again()}finally{p.value=!1}};return M(`section`,{class:`card push-panel`,"aria-labelledby":`push-title`,children:[M(`h2`,{id:`push-title`,children:[`Push `,r.isNamed&&i]}),M(`div`,{class:`form`,children:[M(`label`,{children:[`To hosts with these labels`,M(`input`,{class:`field`,list:`labels-known`,placeholder:`every host`,value:r.selector,onInput:e=>r.selector.value=e.currentTarget.value})]}),M(`label`,{children:[`Stages`,M(`input`,{class:`field`,placeholder:`all at once`,value:s,onInput:e=>s.value=e.currentTarget.value})]}),M(`label`,{children:[`Each stays well for`,M(`input`,{class:`field`,placeholder:`10s`,value:l,onInput:e=>l.value=e.currentTarget.value})]}),M(`label`,{children:[`Message`,M(`input`,{class:`field`,placeholder:`why`,value:d,onInput:e=>d.value=e.currentTarget.value})]})]}),y.map(e=>M(`p`,{class:`said`,children:e})),g&&!g.deleted&&g.current!==r.base.value&&M(`p`,{class:`warn-text`,children:[g.author,` changed it to `,c(g.current),` since this was begun; a push takes the place of that.`]}),v&&M(z,{checked:v,allowNone:f}),v&&M(B,{checked:v,command:u({name:r.isNamed?i:``,selector:r.selector.value,stages:s.value,bake:l.value,message:d.value})}),_?.source!==void 0&&_.source!==r.source.value&&M(`details`,{children:[M(`summary`,{children:[`What changes from `,c(_.id),`, which runs now `,g?.selector!==r.selector.value&&M(w,{tone:`warn`,children:`other hosts`})]}),M(k,{before:_.source,after:r.source.value,label:`What changes`})]}),M(`div`,{class:`row`,children:[M(`button`,{type:`button`,class:`button first`,disabled:!C,onClick:()=>void A(),children:p.value?`Pushing`:`Push`}),M(`span`,{class:`hint`,children:r.isNamed?y.length===0&&O({stages:D(s.value),bake_ms:T(l.value)}):`It has no name yet: give it one below the text.`})]}),m.value&&M(`p`,{class:`said`,role:`alert`,children:m}),h.value&&M(`p`,{class:`hint`,children:h}),n.get(`rollout`)&&M(E,{session:t,id:n.get(`rollout`)})]})}function z({checked:e,allowNone:t}){let n=e.selected??[],r=e.hosts-Math.min(n.length,I);return M(i,{children:[M(`p`,{class:`hint`,"data-hosts":e.hosts,children:[`Goes to `,e.hosts===1?`1 host`:`${e.hosts} hosts`,n.length>0&&`: ${n.slice(0,I).join(`, `)}`,n.length>0&&r>0&&` and ${r} more`,`.`,(e.drops??0)>0&&` ${e.drops} that have it now lose it.`,(e.replaces??0)>0&&` It takes the place of the built-in inspector on ${e.replaces} of them; deleting it brings that back.`]}),e.nobody&&M(`p`,{class:`said`,children:[e.nobody,`.`,` `,M(`label`,{class:`check`,children:[M(`input`,{type:`checkbox`,checked:t.value,onChange:e=>t.value=e.currentTarget.checked}),` That is meant`]})]})]})}function B({checked:e,command:t}){let n=e.refusals??[];if(n.length===0)return null;let r=n.some(e=>e.reason.includes(`signed by`));return M(`div`,{class:`refusals`,children:[M(`p`,{class:`warn-text`,children:[n.length,` of `,e.hosts,` will refuse it:`]}),M(`ul`,{class:`plain-list`,tabIndex:0,"aria-label":`Hosts that will refuse it`,children:n.map(e=>M(`li`,{children:[M(`b`,{children:e.host}),` `,e.reason]},e.host))}),r&&M(i,{children:[M(`p`,{class:`hint`,children:`This page has no key. Save the code as a file, and push it signed from where your key is:`}),M(`pre`,{tabIndex:0,"aria-label":`The command that signs`,children:t})]})]})}var V=200,H=class{rpc;main;now;phase=n(`idle`);hosts=n([]);away=n([]);lines=n([]);error=n(``);faults=n([]);firstMs=n(0);chart;source=``;id=``;turn=0;pressed=0;early=[];stopHearing;constructor(e,t,n=()=>performance.now()){this.rpc=e,this.main=t,this.now=n,this.chart=new j(t)}async start(e,t,n){await this.stop();let r=++this.turn;this.pressed=this.now(),this.source=e.source??``,this.chart=new j(this.main),this.hosts.value=[],this.lines.value=[],this.away.value=[],this.faults.value=[],this.error.value=``,this.firstMs.value=0,this.early=[],this.phase.value=`starting`,this.stopHearing??=this.rpc.hear((e,t)=>e===`trial`&&this.report(t));try{let i={code:{...e,interval_ms:e.interval_ms??1e3},for_ms:n,...t},a=await this.rpc.call(`trials.start`,i);if(r!==this.turn){this.rpc.call(`trials.stop`,{trial:a.trial}).catch(()=>{});return}this.id=a.trial,this.away.value=a.away??[],this.hosts.value=(a.hosts??[]).map(e=>({host:e,state:`pending`,error:``,ended:!1,cost:null,values:[]})),this.phase.value=this.hosts.value.length>0?`running`:`ended`;for(let e of this.early.splice(0))this.report(e)}catch(e){if(r!==this.turn)return;this.phase.value=`ended`,this.error.value=e instanceof Error?e.message:String(e),this.faults.value=(e.data?.diagnostics??[]).slice()}}async stop(){this.turn++;let{id:e}=this;this.id=``,(this.phase.peek()===`running`||this.phase.peek()===`starting`)&&(this.phase.value=`ended`),e&&await this.rpc.call(`trials.stop`,{trial:e}).catch(()=>{})}lost(){this.phase.peek()===`running`&&(this.id=``,this.phase.value=`ended`,this.error.value=`The connection was lost, and the trial has ended with it.`)}close(){this.stop(),this.stopHearing?.(),this.stopHearing=void 0}report(e){if(this.phase.peek()===`starting`&&this.early.length<V&&this.early.push(e),e.trial!==this.id||!this.id)return;this.hosts.value=this.hosts.peek().map(t=>t.host===e.host?W(t,e):t),e.lines?.length&&(this.lines.value=[...this.lines.peek(),...e.lines.map(t=>({host:e.host,text:t}))].slice(-500));let t=U(e);if(t.length>0&&this.firstMs.peek()===0&&(this.firstMs.value=Math.max(1,this.now()-this.pressed)),e.run)for(let n of t)this.chart.add({host:e.host,key:n.key,labels:n.labels},e.run.ts,n.value);this.hosts.peek().every(e=>e.ended)&&(this.id=``,this.phase.value=`ended`)}};function U(e){return(e.run?.samples??[]).flatMap(e=>e.val===null?[]:{key:e.key,labels:e.labels??{},value:e.val})}function W(e,t){let n=t.run?t.run.error??(t.run.more?`${t.run.more} values more are left out`:``):e.error;return{host:e.host,state:t.state??(t.run?t.run.error?`failed`:`healthy`:e.state),error:t.error??n,ended:e.ended||t.ended===!0,cost:t.cost??e.cost,values:t.run?.samples?U(t):e.values}}var G=[[1e4,`10 s`],[3e4,`30 s`],[12e4,`2 min`],[6e5,`10 min`]];function K(e){let t=new Map;for(let{host:n,error:r}of e){let e=N(r),i=e?`${e.line}:${e.col}`:``;e&&!t.has(i)&&t.set(i,{file:``,...e,message:`${n}: ${r}`})}return[...t.values()]}function q(e){return e.flatMap(e=>e.values.map(t=>{let n=t.key.split(`/`).slice(1).join(`/`)||t.key,{unit:r,rate:i}=m(n,void 0),a=t.key+y(t.labels);return{id:`${e.host} ${a}`,host:e.host,name:a,value:t.value,text:i?h(t.value,``):h(t.value,r)}}))}var J=[{id:`host`,title:`Host`,heads:!0,by:e=>e.host,cell:e=>e.host},{id:`name`,title:`Value of`,by:e=>e.name,cell:e=>M(`span`,{class:`reason`,children:e.name})},{id:`value`,title:`Now`,number:!0,by:e=>e.value,cell:e=>M(`span`,{title:String(e.value),children:e.text})}];function Y({session:n,store:r,view:i,work:o,goTo:c}){let l=a(()=>new H(n.rpc,r),[]),u=e(``),d=e(G[1][0]);s(()=>()=>l.close(),[]);let f=n.link.value.kind===`live`;s(()=>{f||l.lost()},[f]);let p=r.hosts.value.find(e=>e.info.value?.state===`up`&&!e.info.value.simple)?.name??``,m=u.value||(p?`host=${p}`:``);s(()=>t(()=>{let e=K(l.hosts.value);l.source===o.source.peek()&&(o.ran.value=e)}),[]);let h=l.phase.value===`running`||l.phase.value===`starting`,g=()=>void l.start(o.code,{selector:m},d.value);return s(()=>{let e=e=>{e.key===`Enter`&&(e.ctrlKey||e.metaKey)&&(e.preventDefault(),e.stopPropagation(),g())};return document.addEventListener(`keydown`,e,!0),()=>document.removeEventListener(`keydown`,e,!0)},[m,d.value]),M(`section`,{class:`card try`,"aria-labelledby":`try-title`,children:[M(`h2`,{id:`try-title`,children:`Try`}),M(`div`,{class:`form`,children:[M(`label`,{children:[`On hosts with these labels`,M(`input`,{class:`field`,list:`labels-known`,placeholder:m||`role=db`,value:u,onInput:e=>u.value=e.currentTarget.value})]}),M(`label`,{children:[`For`,M(`select`,{class:`field`,value:d.value,onChange:e=>d.value=Number(e.currentTarget.value),children:G.map(([e,t])=>M(`option`,{value:e,children:t},e))})]})]}),M(`div`,{class:`row`,children:[M(`button`,{type:`button`,class:`button first`,title:`Ctrl or ⌘ with Enter`,disabled:!f||m===``,onClick:g,children:h?`Try again`:`Try`}),h&&M(`button`,{type:`button`,class:`button`,onClick:()=>void l.stop(),children:`Stop`}),M(`span`,{class:`hint`,role:`status`,"data-first":l.firstMs.value>0?Math.round(l.firstMs.value):void 0,children:X(l)})]}),l.error.value&&M(`p`,{class:`said`,role:`alert`,children:l.error}),l.away.value.length>0&&M(`p`,{class:`hint`,children:[`Away: `,l.away.value.join(`, `)]}),M(Z,{list:l.hosts.value,goTo:c}),l.chart.host.charts.value.length>0&&M(A,{lines:l.chart,view:i}),q(l.hosts.value).length>0&&M(P,{label:`Values by host`,columns:J,rows:q(l.hosts.value),id:e=>e.id}),l.lines.value.length>0&&M(`pre`,{class:`printed`,tabIndex:0,role:`region`,"aria-label":`What the script printed`,children:l.lines.value.map(e=>`${e.host}: ${e.text}\n`)})]})}function X(e){let t=e.firstMs.value,n=t>0?`, first sample after ${Math.round(t)} ms`:``;switch(e.phase.value){case`idle`:return`Runs once a second, saves nothing.`;case`starting`:return`Starting.`;case`running`:return`Running${n}.`;case`ended`:return`Ended${n}.`}}function Z({list:e,goTo:t}){return M(`ul`,{class:`plain-list`,children:e.map(e=>{let n=N(e.error);return M(`li`,{"data-host":e.host,children:[M(p,{state:e.state,children:[e.host,`: `,e.state]}),` `,e.cost&&e.cost.runs>0&&M(`span`,{class:`hint`,children:[e.cost.runs,` runs`,e.cost.failures>0&&`, ${e.cost.failures} failed`,`, `,v(e.cost.cpu_seconds/e.cost.runs),` of a processor and`,` `,v(e.cost.duration_seconds/e.cost.runs),` each, `,e.cost.series,` series`]}),e.error&&M(`div`,{class:`said reason`,children:e.error}),n&&M(`button`,{type:`button`,class:`button`,onClick:()=>t(n.line,n.col),children:[`Go to line `,n.line]})]},e.host)})})}l();var Q=-32004;function $({params:t,...n}){let{session:l,store:u,router:d}=n,p=t.name??``,m=a(()=>new f(l.rpc,p),[p]),h=o(null),v=e(null);s(()=>m.start(l.link),[m]);let y=l.link.value.kind===`live`,b=async()=>{v.value=null;try{if(!p){m.draft.peek()||m.begin(F[1].source,``);return}let e=await l.rpc.call(`catalog.get`,{name:p});if(m.aim(e.selector),m.draft.peek())return;let t=d.get(`revision`)||e.current||e.history?.find(e=>e.revision)?.revision||``,n=await l.rpc.call(`catalog.revision`,{name:p,revision:t});if(n.source===void 0)throw Error(`it is a plugin; there is no source to edit`);m.begin(n.source,n.id)}catch(e){m.draft.peek()&&e instanceof g&&e.code===Q?m.aim(``):v.value=e}};s(()=>{y&&(m.source.peek()===``||!m.aimed.peek())&&b()},[m,y]);let S=r(()=>[...m.checked.value?.diagnostics??[],...m.ran.value]),T=(e,t)=>h.current?.goTo(e,t),E=async()=>{m.begin(``,``),await b()};return M(i,{children:[M(_,{title:p?`Edit ${p}`:`Write an inspector`,count:m.base.value&&`from ${c(m.base.value)}`,children:[m.draft.value&&M(w,{title:`It stays here, in this browser, until it is pushed.`,children:`draft kept`}),m.draft.value&&M(`button`,{type:`button`,class:`button`,onClick:()=>void E(),children:`Discard the draft`}),p&&M(`a`,{href:x(`/inspectors`,p),children:[`Back to `,p]})]}),v.value!==null&&M(C,{what:`cannot open ${p}`,error:v.value,retry:()=>void b()}),!p&&M(te,{work:m}),M(`datalist`,{id:`labels-known`,children:ee(u).map(e=>M(`option`,{value:e},e))}),M(`div`,{class:`work`,children:[M(`div`,{class:`card editor`,children:[M(`go-editor`,{ref:h,value:m.source.value,faults:S.value,changed:e=>m.type(e),label:`Source of the inspector`}),M(ne,{work:m,goTo:T}),M(re,{work:m})]}),M(`div`,{children:[M(Y,{...n,work:m,goTo:T}),M(R,{...n,work:m})]})]})]})}function ee(e){let t=new Set;for(let n of e.hosts.value){for(let[e,r]of Object.entries(n.info.value?.labels??{}))t.add(`${e}=${r}`);t.add(`host=${n.name}`)}return[...t].sort().slice(0,500)}function te({work:e}){return M(`div`,{class:`templates`,role:`group`,"aria-label":`Start from`,children:[M(`span`,{class:`hint`,children:`Start from:`}),F.map(t=>M(`button`,{type:`button`,class:`button`,title:t.about,disabled:e.draft.value,onClick:()=>e.begin(t.source,``),children:t.title},t.id)),e.draft.value&&M(`span`,{class:`hint`,children:`The draft would be lost; discard it first.`})]})}function ne({work:e,goTo:t}){let n=e.checked.value?.diagnostics??[];return n.length===0?null:M(`ul`,{class:`faults`,"aria-label":`Faults`,children:n.map((e,n)=>M(`li`,{children:M(`button`,{type:`button`,onClick:()=>t(e.line,e.col),children:[e.line>0&&M(`code`,{children:`${e.line}:${e.col} `}),e.message,e.fix&&M(i,{children:[` (`,e.fix,`)`]})]})},n))})}function re({work:e}){let t=e.checked.value,n=t?.diagnostics.length??0;return M(`div`,{class:`row`,children:[!d(e.source.value)&&M(`label`,{class:`check`,children:[`Name`,M(`input`,{class:`field`,placeholder:`cpu/steal`,value:e.name,readOnly:e.of!==``,onInput:t=>e.name.value=t.currentTarget.value})]}),M(`span`,{class:`hint`,role:`status`,"data-checked":e.fresh.value?n:void 0,children:e.checkError.value||(e.fresh.value?n===1?`1 fault`:n>0?`${n} faults`:`No faults. Runs every ${v((t?.interval_ms??0)/1e3)}.`:`Checking.`)}),M(`span`,{class:`hint`,children:`Tab indents; Esc, then Tab leaves.`})]})}export{$ as default};