package main

// allowed is one package that inspectors may import, and which of its exported
// names. Where only is set, nothing but the names that it matches is let
// through; what not matches is left out in any case. Both are regular
// expressions that must match the whole name.
type allowed struct {
	path string
	only string
	not  string
}

// inspectorsPath is where the author's own API lives.
const inspectorsPath = "github.com/vedettehq/vedette/inspectors"

// allowList returns all that an inspector may import. Left out on purpose is
// what changes the host, starts processes or goroutines, listens, reaches
// around the type system, or replaces what other inspectors share; and packages
// that are mostly generic, which the interpreter cannot run.
func allowList() []allowed {
	return []allowed{
		{path: "bufio"},
		{path: "bytes"},
		{path: "compress/gzip"},
		{path: "container/heap"},
		{path: "context", not: "AfterFunc"},
		{path: "crypto/hmac"},
		{path: "crypto/md5"},
		{path: "crypto/rand"},
		{path: "crypto/sha1"},
		{path: "crypto/sha256"},
		{path: "crypto/sha512"},
		{path: "crypto/tls", not: "Listen|NewListener|Server|QUIC.*|.*QUIC.*"},
		{path: "crypto/x509"},
		{path: "crypto/x509/pkix"},
		{path: "encoding"},
		{path: "encoding/base64"},
		{path: "encoding/binary"},
		{path: "encoding/csv"},
		{path: "encoding/hex"},
		{path: "encoding/json"},
		{path: "encoding/pem"},
		{path: "encoding/xml"},
		{path: "errors"},
		{path: "fmt"},
		{path: "hash"},
		{path: "hash/crc32"},
		{path: "hash/fnv"},
		{path: "io"},
		{path: "io/fs"},
		{path: "log", only: "Print|Printf|Println"},
		{path: "math"},
		{path: "math/big"},
		{path: "math/bits"},
		{path: "math/rand", not: "Seed"},
		{path: "net", not: "Listen.*|.*Listener|File.*"},
		{path: "net/http", only: "Client|Cookie|CookieJar|DefaultClient|DefaultTransport|Err.*|Get|Head|Header|Method.*|" +
			"NewRequest|NewRequestWithContext|NoBody|ParseHTTPVersion|ParseTime|Post|PostForm|ProxyFromEnvironment|ProxyURL|" +
			"ReadResponse|Request|Response|RoundTripper|SameSite.*|Status.*|TimeFormat|Transport|CanonicalHeaderKey|DetectContentType"},
		{path: "net/netip"},
		{path: "net/textproto"},
		{path: "net/url"},
		{path: "os", only: "DevNull|DirEntry|Err.*|File|FileInfo|FileMode|Getegid|Getenv|Geteuid|Getgid|Getpagesize|Getpid|Getppid|Getuid|" +
			"Hostname|IsExist|IsNotExist|IsPermission|IsTimeout|LookupEnv|Lstat|Mode.*|Open|PathError|PathSeparator|ReadDir|ReadFile|Readlink|" +
			"SameFile|Stat|SyscallError"},
		{path: "path"},
		{path: "path/filepath"},
		{path: "regexp"},
		{path: "runtime", only: "GOARCH|GOOS|MemStats|NumCPU|NumGoroutine|ReadMemStats|Version"},
		{path: "sort"},
		{path: "strconv"},
		{path: "strings"},
		{path: "sync", only: "Locker|Map|Mutex|Once|Pool|RWMutex"},
		{path: "sync/atomic"},
		{path: "text/tabwriter"},
		{path: "time", not: "AfterFunc|Tick"},
		{path: "unicode"},
		{path: "unicode/utf8"},
		{path: "github.com/shirou/gopsutil/v3/cpu", not: "ClocksPerSec"},
		{path: "github.com/shirou/gopsutil/v3/disk", not: ".*_.*"},
		{path: "github.com/shirou/gopsutil/v3/host", not: "Enable.*"},
		{path: "github.com/shirou/gopsutil/v3/load"},
		{path: "github.com/shirou/gopsutil/v3/mem", not: "VirtualMemoryEx.*"},
		{path: "github.com/shirou/gopsutil/v3/net", not: ".*_.*|Pids.*|Reverse.*"},
		{path: "github.com/shirou/gopsutil/v3/process", not: "Enable.*|RLIMIT_.*|SignalInfoStat"},
		{path: inspectorsPath, only: "Report|Sample|Label|Labels|Kind|Gauge|Counter|ErrName|ErrSamples|Exec|ExitError|MaxExec.*|Secret|(Parse|Max)?Nagios.*|" +
			"Tail|TailOptions|NewTail|DefaultTail.*|ParseProm"},
	}
}
