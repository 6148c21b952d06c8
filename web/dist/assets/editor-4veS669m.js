import{D as e,J as t,K as n,M as r,N as i,O as a,T as o,W as s,X as c,Y as l,a as u,j as d,k as f,o as p,q as m,s as h,x as g}from"./index-CKgDMxC-.js";import{a as _,i as v,r as y,t as b}from"./hooks-fGk1k4EC.js";import{n as x}from"./catalog-CsafsGNu.js";import{a as S,i as C,r as w,t as T}from"./work-sMnUKHHT.js";import{a as E,n as D,o as O,s as k}from"./rollout-DDRPvw7C.js";import{a as A,n as j,r as M}from"./lines-BpN0WqMp.js";import{r as N}from"./theme-CB4OaPNw.js";import{t as P}from"./table-BALiB8xO.js";/* empty css             */var F=[{id:`one-value`,title:`One value`,about:`A number under the inspector’s own name.`,source:`// Package zombies counts the processes that have ended and that nobody has asked for.
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
`}],I=12;function L(e){try{return e(),``}catch(e){return e instanceof Error?e.message:String(e)}}function R({session:e,router:r,work:i}){let a=i.checked.value?.name||i.of,s=u(e,`catalog.get`,{name:a},`catalog/${a}`),c=u(e,`catalog.revision`,{name:a,revision:s.data.value?.current??``}),[l,d,f]=[t(`1,100%`),t(`10s`),t(``)],m=t(!1),[g,_,v]=[t(!1),t(``),t(``)],y=s.data.value&&s.error.value===null?s.data.value:null,b=y&&y.current&&c.data.value?.id===y.current?c.data.value:null,S=i.checked.value,w=[L(()=>O(l.value)),L(()=>E(d.value))].filter(Boolean),T=i.isNamed&&i.aimed.value&&i.fresh.value&&S?.diagnostics.length===0&&w.length===0&&(!S.nobody||m.value)&&!g.value,j=async()=>{g.value=!0,_.value=v.value=``;try{let t=await e.rpc.call(`catalog.push`,{code:i.code,selector:i.selector.value,allow_none:m.value,message:f.value,plan:{stages:O(l.value),bake_ms:E(d.value)},version:y?.version??``},{timeout:6e4});i.pushed(t.revision),f.value=``,v.value=t.not_built?`It is pushed, but the master could not build it first: ${t.not_built}`:``,t.rollout?a===i.of?r.set({rollout:t.rollout},!0):r.go(p(h(`/editor`,a),{rollout:t.rollout})):_.value=`Nothing changed: that is what runs already.`}catch(e){_.value=e instanceof Error?e.message:String(e),s.again()}finally{g.value=!1}};return n(`section`,{class:`card push-panel`,"aria-labelledby":`push-title`,children:[n(`h2`,{id:`push-title`,children:[`Push `,i.isNamed&&a]}),n(`div`,{class:`form`,children:[n(`label`,{children:[`To hosts with these labels`,n(`input`,{class:`field`,list:`labels-known`,placeholder:`every host`,value:i.selector,onInput:e=>i.selector.value=e.currentTarget.value})]}),n(`label`,{children:[`Stages`,n(`input`,{class:`field`,placeholder:`all at once`,value:l,onInput:e=>l.value=e.currentTarget.value})]}),n(`label`,{children:[`Each stays well for`,n(`input`,{class:`field`,placeholder:`10s`,value:d,onInput:e=>d.value=e.currentTarget.value})]}),n(`label`,{children:[`Message`,n(`input`,{class:`field`,placeholder:`why`,value:f,onInput:e=>f.value=e.currentTarget.value})]})]}),w.map(e=>n(`p`,{class:`said`,children:e})),y&&!y.deleted&&y.current!==i.base.value&&n(`p`,{class:`warn-text`,children:[y.author,` changed it to `,x(y.current),` since this was begun; a push takes the place of that.`]}),S&&n(z,{checked:S,allowNone:m}),S&&n(B,{checked:S,command:C({name:i.isNamed?a:``,selector:i.selector.value,stages:l.value,bake:d.value,message:f.value})}),b?.source!==void 0&&b.source!==i.source.value&&n(`details`,{children:[n(`summary`,{children:[`What changes from `,x(b.id),`, which runs now `,y?.selector!==i.selector.value&&n(o,{tone:`warn`,children:`other hosts`})]}),n(A,{before:b.source,after:i.source.value,label:`What changes`})]}),n(`div`,{class:`row`,children:[n(`button`,{type:`button`,class:`button first`,disabled:!T,onClick:()=>void j(),children:g.value?`Pushing`:`Push`}),n(`span`,{class:`hint`,children:i.isNamed?w.length===0&&k({stages:O(l.value),bake_ms:E(d.value)}):`It has no name yet: give it one below the text.`})]}),_.value&&n(`p`,{class:`said`,role:`alert`,children:_}),v.value&&n(`p`,{class:`hint`,children:v}),r.get(`rollout`)&&n(D,{session:e,id:r.get(`rollout`)})]})}function z({checked:e,allowNone:t}){let r=e.selected??[],i=e.hosts-Math.min(r.length,I);return n(_,{children:[n(`p`,{class:`hint`,"data-hosts":e.hosts,children:[`Goes to `,e.hosts===1?`1 host`:`${e.hosts} hosts`,r.length>0&&`: ${r.slice(0,I).join(`, `)}`,r.length>0&&i>0&&` and ${i} more`,`.`,(e.drops??0)>0&&` ${e.drops} that have it now lose it.`,(e.replaces??0)>0&&` It takes the place of the built-in inspector on ${e.replaces} of them; deleting it brings that back.`]}),e.nobody&&n(`p`,{class:`said`,children:[e.nobody,`.`,` `,n(`label`,{class:`check`,children:[n(`input`,{type:`checkbox`,checked:t.value,onChange:e=>t.value=e.currentTarget.checked}),` That is meant`]})]})]})}function B({checked:e,command:t}){let r=e.refusals??[];if(r.length===0)return null;let i=r.some(e=>e.reason.includes(`signed by`));return n(`div`,{class:`refusals`,children:[n(`p`,{class:`warn-text`,children:[r.length,` of `,e.hosts,` will refuse it:`]}),n(`ul`,{class:`plain-list`,tabIndex:0,"aria-label":`Hosts that will refuse it`,children:r.map(e=>n(`li`,{children:[n(`b`,{children:e.host}),` `,e.reason]},e.host))}),i&&n(_,{children:[n(`p`,{class:`hint`,children:`This page has no key. Save the code as a file, and push it signed from where your key is:`}),n(`pre`,{tabIndex:0,"aria-label":`The command that signs`,children:t})]})]})}var V=200,H=class{rpc;main;now;phase=c(`idle`);hosts=c([]);away=c([]);lines=c([]);error=c(``);faults=c([]);firstMs=c(0);chart;source=``;id=``;turn=0;pressed=0;early=[];stopHearing;constructor(e,t,n=()=>performance.now()){this.rpc=e,this.main=t,this.now=n,this.chart=new M(t)}async start(e,t,n){await this.stop();let r=++this.turn;this.pressed=this.now(),this.source=e.source??``,this.chart=new M(this.main),this.hosts.value=[],this.lines.value=[],this.away.value=[],this.faults.value=[],this.error.value=``,this.firstMs.value=0,this.early=[],this.phase.value=`starting`,this.stopHearing??=this.rpc.hear((e,t)=>e===`trial`&&this.report(t));try{let i={code:{...e,interval_ms:e.interval_ms??1e3},for_ms:n,...t},a=await this.rpc.call(`trials.start`,i);if(r!==this.turn){this.rpc.call(`trials.stop`,{trial:a.trial}).catch(()=>{});return}this.id=a.trial,this.away.value=a.away??[],this.hosts.value=(a.hosts??[]).map(e=>({host:e,state:`pending`,error:``,ended:!1,cost:null,values:[]})),this.phase.value=this.hosts.value.length>0?`running`:`ended`;for(let e of this.early.splice(0))this.report(e)}catch(e){if(r!==this.turn)return;this.phase.value=`ended`,this.error.value=e instanceof Error?e.message:String(e),this.faults.value=(e.data?.diagnostics??[]).slice()}}async stop(){this.turn++;let{id:e}=this;this.id=``,(this.phase.peek()===`running`||this.phase.peek()===`starting`)&&(this.phase.value=`ended`),e&&await this.rpc.call(`trials.stop`,{trial:e}).catch(()=>{})}lost(){this.phase.peek()===`running`&&(this.id=``,this.phase.value=`ended`,this.error.value=`The connection was lost, and the trial has ended with it.`)}close(){this.stop(),this.stopHearing?.(),this.stopHearing=void 0}report(e){if(this.phase.peek()===`starting`&&this.early.length<V&&this.early.push(e),e.trial!==this.id||!this.id)return;this.hosts.value=this.hosts.peek().map(t=>t.host===e.host?W(t,e):t),e.lines?.length&&(this.lines.value=[...this.lines.peek(),...e.lines.map(t=>({host:e.host,text:t}))].slice(-500));let t=U(e);if(t.length>0&&this.firstMs.peek()===0&&(this.firstMs.value=Math.max(1,this.now()-this.pressed)),e.run)for(let n of t)this.chart.add({host:e.host,key:n.key,labels:n.labels},e.run.ts,n.value);this.hosts.peek().every(e=>e.ended)&&(this.id=``,this.phase.value=`ended`)}};function U(e){return(e.run?.samples??[]).flatMap(e=>e.val===null?[]:{key:e.key,labels:e.labels??{},value:e.val})}function W(e,t){let n=t.run?t.run.error??(t.run.more?`${t.run.more} values more are left out`:``):e.error;return{host:e.host,state:t.state??(t.run?t.run.error?`failed`:`healthy`:e.state),error:t.error??n,ended:e.ended||t.ended===!0,cost:t.cost??e.cost,values:t.run?.samples?U(t):e.values}}var G=[[1e4,`10 s`],[3e4,`30 s`],[12e4,`2 min`],[6e5,`10 min`]];function K(e){let t=new Map;for(let{host:n,error:r}of e){let e=N(r),i=e?`${e.line}:${e.col}`:``;e&&!t.has(i)&&t.set(i,{file:``,...e,message:`${n}: ${r}`})}return[...t.values()]}function q(e){return e.flatMap(e=>e.values.map(t=>{let n=t.key.split(`/`).slice(1).join(`/`)||t.key,{unit:a,rate:o}=i(n,void 0),s=t.key+g(t.labels);return{id:`${e.host} ${s}`,host:e.host,name:s,value:t.value,text:o?r(t.value,``):r(t.value,a)}}))}var J=[{id:`host`,title:`Host`,heads:!0,by:e=>e.host,cell:e=>e.host},{id:`name`,title:`Value of`,by:e=>e.name,cell:e=>n(`span`,{class:`reason`,children:e.name})},{id:`value`,title:`Now`,number:!0,by:e=>e.value,cell:e=>n(`span`,{title:String(e.value),children:e.text})}];function Y({session:e,store:r,view:i,router:a,work:o,goTo:s}){let c=v(()=>new H(e.rpc,r),[]),u=t(a.get(`to`)),d=t(G[1][0]);b(()=>()=>c.close(),[]);let f=e.link.value.kind===`live`;b(()=>{f||c.lost()},[f]);let p=r.hosts.value.find(e=>e.info.value?.state===`up`&&!e.info.value.simple)?.name??``,m=u.value||(p?`host=${p}`:``);b(()=>l(()=>{let e=K(c.hosts.value);c.source===o.source.peek()&&(o.ran.value=e)}),[]);let h=c.phase.value===`running`||c.phase.value===`starting`,g=()=>void c.start(o.code,{selector:m},d.value);return b(()=>{let e=e=>{e.key===`Enter`&&(e.ctrlKey||e.metaKey)&&(e.preventDefault(),e.stopPropagation(),g())};return document.addEventListener(`keydown`,e,!0),()=>document.removeEventListener(`keydown`,e,!0)},[m,d.value]),n(`section`,{class:`card try`,"aria-labelledby":`try-title`,children:[n(`h2`,{id:`try-title`,children:`Try`}),n(`div`,{class:`form`,children:[n(`label`,{children:[`On hosts with these labels`,n(`input`,{class:`field`,list:`labels-known`,placeholder:m||`role=db`,value:u,onInput:e=>u.value=e.currentTarget.value})]}),n(`label`,{children:[`For`,n(`select`,{class:`field`,value:d.value,onChange:e=>d.value=Number(e.currentTarget.value),children:G.map(([e,t])=>n(`option`,{value:e,children:t},e))})]})]}),n(`div`,{class:`row`,children:[n(`button`,{type:`button`,class:`button first`,title:`Ctrl or ⌘ with Enter`,disabled:!f||m===``,onClick:g,children:h?`Try again`:`Try`}),h&&n(`button`,{type:`button`,class:`button`,onClick:()=>void c.stop(),children:`Stop`}),n(`span`,{class:`hint`,role:`status`,"data-first":c.firstMs.value>0?Math.round(c.firstMs.value):void 0,children:X(c)})]}),c.error.value&&n(`p`,{class:`said`,role:`alert`,children:c.error}),c.away.value.length>0&&n(`p`,{class:`hint`,children:[`Away: `,c.away.value.join(`, `)]}),n(Z,{list:c.hosts.value,goTo:s}),c.chart.host.charts.value.length>0&&n(j,{lines:c.chart,view:i}),q(c.hosts.value).length>0&&n(P,{label:`Values by host`,columns:J,rows:q(c.hosts.value),id:e=>e.id}),c.lines.value.length>0&&n(`pre`,{class:`printed`,tabIndex:0,role:`region`,"aria-label":`What the script printed`,children:c.lines.value.map(e=>`${e.host}: ${e.text}\n`)})]})}function X(e){let t=e.firstMs.value,n=t>0?`, first sample after ${Math.round(t)} ms`:``;switch(e.phase.value){case`idle`:return`Runs once a second, saves nothing.`;case`starting`:return`Starting.`;case`running`:return`Running${n}.`;case`ended`:return`Ended${n}.`}}function Z({list:e,goTo:t}){return n(`ul`,{class:`plain-list`,children:e.map(e=>{let r=N(e.error);return n(`li`,{"data-host":e.host,children:[n(f,{state:e.state,children:[e.host,`: `,e.state]}),` `,e.cost&&e.cost.runs>0&&n(`span`,{class:`hint`,children:[e.cost.runs,` runs`,e.cost.failures>0&&`, ${e.cost.failures} failed`,`, `,d(e.cost.cpu_seconds/e.cost.runs),` of a processor and`,` `,d(e.cost.duration_seconds/e.cost.runs),` each, `,e.cost.series,` series`]}),e.error&&n(`div`,{class:`said reason`,children:e.error}),r&&n(`button`,{type:`button`,class:`button`,onClick:()=>t(r.line,r.col),children:[`Go to line `,r.line]})]},e.host)})})}S();var Q=-32004;function $({params:r,...i}){let{session:c,store:l,router:u}=i,d=r.name??``,f=v(()=>new T(c.rpc,d),[d]),p=y(null),g=t(null);b(()=>f.start(c.link),[f]);let S=c.link.value.kind===`live`,C=async()=>{g.value=null;try{if(!d){f.draft.peek()||f.begin(F[1].source,``);return}let e=await c.rpc.call(`catalog.get`,{name:d});if(f.aim(e.selector),f.draft.peek())return;let t=u.get(`revision`)||e.current||e.history?.find(e=>e.revision)?.revision||``,n=await c.rpc.call(`catalog.revision`,{name:d,revision:t});if(n.source===void 0)throw Error(`it is a plugin; there is no source to edit`);f.begin(n.source,n.id)}catch(e){f.draft.peek()&&e instanceof s&&e.code===Q?f.aim(``):g.value=e}};b(()=>{S&&(f.source.peek()===``||!f.aimed.peek())&&C()},[f,S]);let w=m(()=>[...f.checked.value?.diagnostics??[],...f.ran.value]),E=(e,t)=>p.current?.goTo(e,t),D=async()=>{f.begin(``,``),await C()};return n(_,{children:[n(a,{title:d?`Edit ${d}`:`Write an inspector`,count:f.base.value&&`from ${x(f.base.value)}`,children:[f.draft.value&&n(o,{title:`It stays here, in this browser, until it is pushed.`,children:`draft kept`}),f.draft.value&&n(`button`,{type:`button`,class:`button`,onClick:()=>void D(),children:`Discard the draft`}),d&&n(`a`,{href:h(`/inspectors`,d),children:[`Back to `,d]})]}),g.value!==null&&n(e,{what:`cannot open ${d}`,error:g.value,retry:()=>void C()}),!d&&n(te,{work:f}),n(`datalist`,{id:`labels-known`,children:ee(l).map(e=>n(`option`,{value:e},e))}),n(`div`,{class:`work`,children:[n(`div`,{class:`card editor`,children:[n(`go-editor`,{ref:p,value:f.source.value,faults:w.value,changed:e=>f.type(e),label:`Source of the inspector`}),n(ne,{work:f,goTo:E}),n(re,{work:f})]}),n(`div`,{children:[n(Y,{...i,work:f,goTo:E}),n(R,{...i,work:f})]})]})]})}function ee(e){let t=new Set;for(let n of e.hosts.value){for(let[e,r]of Object.entries(n.info.value?.labels??{}))t.add(`${e}=${r}`);t.add(`host=${n.name}`)}return[...t].sort().slice(0,500)}function te({work:e}){return n(`div`,{class:`templates`,role:`group`,"aria-label":`Start from`,children:[n(`span`,{class:`hint`,children:`Start from:`}),F.map(t=>n(`button`,{type:`button`,class:`button`,title:t.about,disabled:e.draft.value,onClick:()=>e.begin(t.source,``),children:t.title},t.id)),e.draft.value&&n(`span`,{class:`hint`,children:`The draft would be lost; discard it first.`})]})}function ne({work:e,goTo:t}){let r=e.checked.value?.diagnostics??[];return r.length===0?null:n(`ul`,{class:`faults`,"aria-label":`Faults`,children:r.map((e,r)=>n(`li`,{children:n(`button`,{type:`button`,onClick:()=>t(e.line,e.col),children:[e.line>0&&n(`code`,{children:`${e.line}:${e.col} `}),e.message,e.fix&&n(_,{children:[` (`,e.fix,`)`]})]})},r))})}function re({work:e}){let t=e.checked.value,r=t?.diagnostics.length??0;return n(`div`,{class:`row`,children:[!w(e.source.value)&&n(`label`,{class:`check`,children:[`Name`,n(`input`,{class:`field`,placeholder:`cpu/steal`,value:e.name,readOnly:e.of!==``,onInput:t=>e.name.value=t.currentTarget.value})]}),n(`span`,{class:`hint`,role:`status`,"data-checked":e.fresh.value?r:void 0,children:e.checkError.value||(e.fresh.value?r===1?`1 fault`:r>0?`${r} faults`:`No faults. Runs every ${d((t?.interval_ms??0)/1e3)}.`:`Checking.`)}),n(`span`,{class:`hint`,children:`Tab indents; Esc, then Tab leaves.`})]})}export{$ as default};