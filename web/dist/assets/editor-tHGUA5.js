import{$ as e,A as t,C as n,D as r,J as i,K as a,L as o,N as s,P as c,Q as l,T as u,d,et as f,f as p,it as m,j as h,k as g,nt as _,q as v,rt as y}from"./base-9pyp9G.js";import{n as b}from"./catalog-CsafsG.js";import{a as x,i as S,o as C,r as w,s as T,t as E}from"./work-BqkUsm.js";import{n as D,w as O}from"./index-BlxAXXP_.js";import{a as k,n as A,o as j,s as M}from"./rollout-DRpW9S.js";import{n as N}from"./code-BTrhV4.js";import{i as ee,n as P,r as F}from"./lines-CsE99G.js";import{r as I}from"./theme-CB4OaP.js";import{t as L}from"./table-BQ-XxV.js";/* empty css           */var R=[{id:`one-value`,title:`One value`,about:`A number under the inspector’s own name.`,source:`// Package zombies counts the processes that have ended and that nobody has asked for.
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
`}],z=12;function B(e){try{return e(),``}catch(e){return e instanceof Error?e.message:String(e)}}function V({session:e,router:t,work:n}){let o=n.checked.value?.name||n.of,s=D(e,`catalog.get`,{name:o},`catalog/${o}`),c=D(e,`catalog.revision`,{name:o,revision:s.data.value?.current??``}),[l,u,f]=[i(`1,100%`),i(`10s`),i(``)],m=i(!1),[h,g,_]=[i(!1),i(``),i(``)],v=s.data.value&&s.error.value===null?s.data.value:null,y=v&&v.current&&c.data.value?.id===v.current?c.data.value:null,S=n.checked.value,C=[B(()=>j(l.value)),B(()=>k(u.value))].filter(Boolean),w=n.isNamed&&n.aimed.value&&n.fresh.value&&S?.diagnostics.length===0&&C.length===0&&(!S.nobody||m.value)&&!h.value,T=async()=>{h.value=!0,g.value=_.value=``;try{let r=await e.rpc.call(`catalog.push`,{code:n.code,selector:n.selector.value,allow_none:m.value,message:f.value,plan:{stages:j(l.value),bake_ms:k(u.value)},version:v?.version??``},{timeout:6e4});n.pushed(r.revision),f.value=``,_.value=r.not_built?`It is pushed, but the master could not build it first: ${r.not_built}`:``,r.proposal?_.value=ee(r.proposal):r.rollout?o===n.of?t.set({rollout:r.rollout},!0):t.go(d(p(`/editor`,o),{rollout:r.rollout})):g.value=`Nothing changed: that is what runs already.`}catch(e){g.value=e instanceof Error?e.message:String(e),s.again()}finally{h.value=!1}};return a(`section`,{class:`card push-panel`,"aria-labelledby":`push-title`,children:[a(`h2`,{id:`push-title`,children:[`Push `,n.isNamed&&o]}),a(`div`,{class:`form`,children:[a(`label`,{children:[`To hosts with these labels`,a(`input`,{class:`field`,list:`labels-known`,placeholder:`every host`,value:n.selector,onInput:e=>n.selector.value=e.currentTarget.value})]}),a(`label`,{children:[`Stages`,a(`input`,{class:`field`,placeholder:`all at once`,value:l,onInput:e=>l.value=e.currentTarget.value})]}),a(`label`,{children:[`Each must stay healthy for`,a(`input`,{class:`field`,placeholder:`10s`,value:u,onInput:e=>u.value=e.currentTarget.value})]}),a(`label`,{children:[`Message`,a(`input`,{class:`field`,placeholder:`why`,value:f,onInput:e=>f.value=e.currentTarget.value})]})]}),C.map(e=>a(`p`,{class:`said`,children:e})),v&&!v.deleted&&v.current!==n.base.value&&a(`p`,{class:`warn-text`,children:[v.author,` changed it to `,b(v.current),` since this was begun; a push takes the place of that.`]}),S&&a(H,{checked:S,allowNone:m}),S&&a(U,{checked:S,command:x({name:n.isNamed?o:``,selector:n.selector.value,stages:l.value,bake:u.value,message:f.value})}),y?.source!==void 0&&y.source!==n.source.value&&a(`details`,{children:[a(`summary`,{children:[`What changes from `,b(y.id),`, which runs now `,v?.selector!==n.selector.value&&a(r,{tone:`warn`,children:`other hosts`})]}),a(N,{before:y.source,after:n.source.value,label:`What changes`})]}),a(`div`,{class:`row`,children:[a(`button`,{type:`button`,class:`button first`,disabled:!w,onClick:()=>void T(),children:h.value?`Pushing`:`Push`}),a(`span`,{class:`hint`,children:n.isNamed?C.length===0&&M({stages:j(l.value),bake_ms:k(u.value)}):`It has no name yet: give it one below the text.`})]}),g.value&&a(`p`,{class:`said`,role:`alert`,children:g}),_.value&&a(`p`,{class:`hint`,children:_}),t.get(`rollout`)&&a(A,{session:e,id:t.get(`rollout`)})]})}function H({checked:e,allowNone:t}){let n=e.selected??[],r=e.hosts-Math.min(n.length,z);return a(m,{children:[a(`p`,{class:`hint`,"data-hosts":e.hosts,children:[`Goes to `,e.hosts===1?`1 host`:`${e.hosts} hosts`,n.length>0&&`: ${n.slice(0,z).join(`, `)}`,n.length>0&&r>0&&` and ${r} more`,`.`,(e.drops??0)>0&&` ${e.drops} that have it now lose it.`,(e.replaces??0)>0&&` It replaces the built-in inspector on ${e.replaces} of them, until it is deleted.`]}),e.nobody&&a(`p`,{class:`said`,children:[e.nobody,`.`,` `,a(`label`,{class:`check`,children:[a(`input`,{type:`checkbox`,checked:t.value,onChange:e=>t.value=e.currentTarget.checked}),` Push anyway`]})]})]})}function U({checked:e,command:t}){let n=e.refusals??[];if(n.length===0)return null;let r=C(n.map(e=>e.reason));return a(`div`,{class:`refusals`,children:[a(`p`,{class:`warn-text`,children:[n.length,` of `,e.hosts,` will refuse it:`]}),a(`ul`,{class:`plain-list`,tabIndex:0,"aria-label":`Hosts that will refuse it`,children:n.map(e=>a(`li`,{children:[a(`b`,{children:e.host}),` `,e.reason]},e.host))}),r>0&&a(m,{children:[a(`p`,{class:`hint`,children:`This page has no key. Save the code as a file, and push it signed from where your key is:`}),a(`pre`,{tabIndex:0,"aria-label":`The command that signs`,children:t})]}),r>1&&a(m,{children:[a(`p`,{class:`hint`,children:r===2?`Then a second person signs it:`:`Then ${r-1} more people sign it, each with their own key:`}),a(`pre`,{tabIndex:0,"aria-label":`The command that signs again`,children:S(e.name)})]})]})}var W=200,G=class{rpc;main;now;phase=e(`idle`);hosts=e([]);away=e([]);lines=e([]);error=e(``);faults=e([]);firstMs=e(0);chart;source=``;id=``;turn=0;pressed=0;early=[];stopHearing;constructor(e,t,n=()=>performance.now()){this.rpc=e,this.main=t,this.now=n,this.chart=new F(t)}async start(e,t,n){await this.stop();let r=++this.turn;this.pressed=this.now(),this.source=e.source??``,this.chart=new F(this.main),this.hosts.value=[],this.lines.value=[],this.away.value=[],this.faults.value=[],this.error.value=``,this.firstMs.value=0,this.early=[],this.phase.value=`starting`,this.stopHearing??=this.rpc.hear((e,t)=>e===`trial`&&this.report(t));try{let i={code:{...e,interval_ms:e.interval_ms??1e3},for_ms:n,...t},a=await this.rpc.call(`trials.start`,i);if(r!==this.turn){this.rpc.call(`trials.stop`,{trial:a.trial}).catch(()=>{});return}this.id=a.trial,this.away.value=a.away??[],this.hosts.value=(a.hosts??[]).map(e=>({host:e,state:`pending`,error:``,ended:!1,cost:null,values:[]})),this.phase.value=this.hosts.value.length>0?`running`:`ended`;for(let e of this.early.splice(0))this.report(e)}catch(e){if(r!==this.turn)return;this.phase.value=`ended`,this.error.value=e instanceof Error?e.message:String(e),this.faults.value=(e.data?.diagnostics??[]).slice()}}async stop(){this.turn++;let{id:e}=this;this.id=``,(this.phase.peek()===`running`||this.phase.peek()===`starting`)&&(this.phase.value=`ended`),e&&await this.rpc.call(`trials.stop`,{trial:e}).catch(()=>{})}lost(){this.phase.peek()===`running`&&(this.id=``,this.phase.value=`ended`,this.error.value=`The connection was lost, and the trial has ended with it.`)}close(){this.stop(),this.stopHearing?.(),this.stopHearing=void 0}report(e){if(this.phase.peek()===`starting`&&this.early.length<W&&this.early.push(e),e.trial!==this.id||!this.id)return;this.hosts.value=this.hosts.peek().map(t=>t.host===e.host?q(t,e):t),e.lines?.length&&(this.lines.value=[...this.lines.peek(),...e.lines.map(t=>({host:e.host,text:t}))].slice(-500));let t=K(e);if(t.length>0&&this.firstMs.peek()===0&&(this.firstMs.value=Math.max(1,this.now()-this.pressed)),e.run)for(let n of t)this.chart.add({host:e.host,key:n.key,labels:n.labels},e.run.ts,n.value);this.hosts.peek().every(e=>e.ended)&&(this.id=``,this.phase.value=`ended`)}};function K(e){return(e.run?.samples??[]).flatMap(e=>e.val===null?[]:{key:e.key,labels:e.labels??{},value:e.val})}function q(e,t){let n=t.run?t.run.error??(t.run.more?`${t.run.more} values more are left out`:``):e.error;return{host:e.host,state:t.state??(t.run?t.run.error?`failed`:`healthy`:e.state),error:t.error??n,ended:e.ended||t.ended===!0,cost:t.cost??e.cost,values:t.run?.samples?K(t):e.values}}var J=[[1e4,`10 s`],[3e4,`30 s`],[12e4,`2 min`],[6e5,`10 min`]];function Y(e){let t=new Map;for(let{host:n,error:r}of e){let e=I(r),i=e?`${e.line}:${e.col}`:``;e&&!t.has(i)&&t.set(i,{file:``,...e,message:`${n}: ${r}`})}return[...t.values()]}function X(e){return e.flatMap(e=>e.values.map(t=>{let r=t.key.split(`/`).slice(1).join(`/`)||t.key,{unit:i,rate:a}=o(r,void 0),s=t.key+n(t.labels);return{id:`${e.host} ${s}`,host:e.host,name:s,value:t.value,text:a?c(t.value,``):c(t.value,i)}}))}var Z=[{id:`host`,title:`Host`,heads:!0,by:e=>e.host,cell:e=>e.host},{id:`name`,title:`Value of`,by:e=>e.name,cell:e=>a(`span`,{class:`reason`,children:e.name})},{id:`value`,title:`Now`,number:!0,by:e=>e.value,cell:e=>a(`span`,{title:String(e.value),children:e.text})}];function Q({session:e,store:t,view:n,router:r,work:o,goTo:s}){let c=y(()=>new G(e.rpc,t),[]),u=i(r.get(`to`)),d=i(J[1][0]);f(()=>()=>c.close(),[]);let p=e.link.value.kind===`live`;f(()=>{p||c.lost()},[p]);let m=t.hosts.value.find(e=>e.info.value?.state===`up`&&!e.info.value.simple)?.name??``,h=u.value||(m?`host=${m}`:``);f(()=>l(()=>{let e=Y(c.hosts.value);c.source===o.source.peek()&&(o.ran.value=e)}),[]);let g=c.phase.value===`running`||c.phase.value===`starting`,_=()=>void c.start(o.code,{selector:h},d.value);return f(()=>{let e=e=>{e.key===`Enter`&&(e.ctrlKey||e.metaKey)&&(e.preventDefault(),e.stopPropagation(),_())};return document.addEventListener(`keydown`,e,!0),()=>document.removeEventListener(`keydown`,e,!0)},[h,d.value]),a(`section`,{class:`card try`,"aria-labelledby":`try-title`,children:[a(`h2`,{id:`try-title`,children:`Try`}),a(`div`,{class:`form`,children:[a(`label`,{children:[`On hosts with these labels`,a(`input`,{class:`field`,list:`labels-known`,placeholder:h||`role=db`,value:u,onInput:e=>u.value=e.currentTarget.value})]}),a(`label`,{children:[`For`,a(`select`,{class:`field`,value:d.value,onChange:e=>d.value=Number(e.currentTarget.value),children:J.map(([e,t])=>a(`option`,{value:e,children:t},e))})]})]}),a(`div`,{class:`row`,children:[a(`button`,{type:`button`,class:`button first`,title:`Ctrl or ⌘ with Enter`,disabled:!p||h===``,onClick:_,children:g?`Try again`:`Try`}),g&&a(`button`,{type:`button`,class:`button`,onClick:()=>void c.stop(),children:`Stop`}),a(`span`,{class:`hint`,role:`status`,"data-first":c.firstMs.value>0?Math.round(c.firstMs.value):void 0,children:te(c)})]}),c.error.value&&a(`p`,{class:`said`,role:`alert`,children:c.error}),c.away.value.length>0&&a(`p`,{class:`hint`,children:[`Away: `,c.away.value.join(`, `)]}),a(ne,{list:c.hosts.value,goTo:s}),c.chart.host.charts.value.length>0&&a(P,{lines:c.chart,view:n}),X(c.hosts.value).length>0&&a(L,{label:`Values by host`,columns:Z,rows:X(c.hosts.value),id:e=>e.id}),c.lines.value.length>0&&a(`pre`,{class:`printed`,tabIndex:0,role:`region`,"aria-label":`What the script printed`,children:c.lines.value.map(e=>`${e.host}: ${e.text}\n`)})]})}function te(e){let t=e.firstMs.value,n=t>0?`, first sample after ${Math.round(t)} ms`:``;switch(e.phase.value){case`idle`:return`Runs once a second, saves nothing.`;case`starting`:return`Starting.`;case`running`:return`Running${n}.`;case`ended`:return`Ended${n}.`}}function ne({list:e,goTo:t}){return a(`ul`,{class:`plain-list`,children:e.map(e=>{let n=I(e.error);return a(`li`,{"data-host":e.host,children:[a(h,{state:e.state,children:[e.host,`: `,e.state]}),` `,e.cost&&e.cost.runs>0&&a(`span`,{class:`hint`,children:[e.cost.runs,` runs`,e.cost.failures>0&&`, ${e.cost.failures} failed`,`, `,s(e.cost.cpu_seconds/e.cost.runs),` of a processor and`,` `,s(e.cost.duration_seconds/e.cost.runs),` each, `,e.cost.series,` series`]}),e.error&&a(`div`,{class:`said reason`,children:e.error}),n&&a(`button`,{type:`button`,class:`button`,onClick:()=>t(n.line,n.col),children:[`Go to line `,n.line]})]},e.host)})})}T();var re=-32004;function ie({params:e,...n}){let{session:o,store:s,router:c}=n,l=e.name??``,u=y(()=>new E(o.rpc,l),[l]),d=_(null),h=i(null);f(()=>u.start(o.link),[u]);let x=o.link.value.kind===`live`,S=async()=>{h.value=null;try{if(!l){u.draft.peek()||u.begin(R[1].source,``);return}let e=await o.rpc.call(`catalog.get`,{name:l});if(u.aim(e.selector),u.draft.peek())return;let t=c.get(`revision`)||e.current||e.history?.find(e=>e.revision)?.revision||``,n=await o.rpc.call(`catalog.revision`,{name:l,revision:t});if(n.source===void 0)throw Error(`it is a plugin; there is no source to edit`);u.begin(n.source,n.id)}catch(e){u.draft.peek()&&e instanceof O&&e.code===re?u.aim(``):h.value=e}};f(()=>{x&&(u.source.peek()===``||!u.aimed.peek())&&S()},[u,x]);let C=v(()=>[...u.checked.value?.diagnostics??[],...u.ran.value]),w=(e,t)=>d.current?.goTo(e,t),T=async()=>{u.begin(``,``),await S()};return a(m,{children:[a(t,{title:l?`Edit ${l}`:`Write an inspector`,count:u.base.value&&`from ${b(u.base.value)}`,children:[u.draft.value&&a(r,{title:`It stays here, in this browser, until it is pushed.`,children:`draft kept`}),u.draft.value&&a(`button`,{type:`button`,class:`button`,onClick:()=>void T(),children:`Discard the draft`}),l&&a(`a`,{href:p(`/inspectors`,l),children:[`Back to `,l]})]}),h.value!==null&&a(g,{what:`cannot open ${l}`,error:h.value,retry:()=>void S()}),!l&&a(ae,{work:u}),a(`datalist`,{id:`labels-known`,children:$(s).map(e=>a(`option`,{value:e},e))}),a(`div`,{class:`work`,children:[a(`div`,{class:`card editor`,children:[a(`go-editor`,{ref:d,value:u.source.value,faults:C.value,changed:e=>u.type(e),label:`Source of the inspector`}),a(oe,{work:u,goTo:w}),a(se,{work:u})]}),a(`div`,{children:[a(Q,{...n,work:u,goTo:w}),a(V,{...n,work:u})]})]})]})}function $(e){let t=new Set;for(let n of e.hosts.value)for(let[e,r]of Object.entries(n.info.value?.labels??{}))e!==`host`&&t.add(`${e}=${r}`);let n=e.hosts.value.map(e=>`host=${e.name}`);return[...[...t].sort(u),...n.sort(u)].slice(0,500)}function ae({work:e}){return a(`div`,{class:`templates`,role:`group`,"aria-label":`Start from`,children:[a(`span`,{class:`hint`,children:`Start from:`}),R.map(t=>a(`button`,{type:`button`,class:`button`,title:t.about,disabled:e.draft.value,onClick:()=>e.begin(t.source,``),children:t.title},t.id)),e.draft.value&&a(`span`,{class:`hint`,children:`The draft would be lost; discard it first.`})]})}function oe({work:e,goTo:t}){let n=e.checked.value?.diagnostics??[];return n.length===0?null:a(`ul`,{class:`faults`,"aria-label":`Faults`,children:n.map((e,n)=>a(`li`,{children:a(`button`,{type:`button`,onClick:()=>t(e.line,e.col),children:[e.line>0&&a(`code`,{children:`${e.line}:${e.col} `}),e.message,e.fix&&a(m,{children:[` (`,e.fix,`)`]})]})},n))})}function se({work:e}){let t=e.checked.value,n=t?.diagnostics.length??0;return a(`div`,{class:`row`,children:[!w(e.source.value)&&a(`label`,{class:`check`,children:[`Name`,a(`input`,{class:`field`,placeholder:`cpu/steal`,value:e.name,readOnly:e.of!==``,onInput:t=>e.name.value=t.currentTarget.value})]}),a(`span`,{class:`hint`,role:`status`,"data-checked":e.fresh.value?n:void 0,children:e.checkError.value||(e.fresh.value?n===1?`1 fault`:n>0?`${n} faults`:`No faults. Runs every ${s((t?.interval_ms??0)/1e3)}.`:`Checking.`)}),a(`span`,{class:`hint`,children:`Tab indents; Esc, then Tab leaves.`})]})}export{ie as default,$ as knownLabels};