// The workloads with Go's goroutines and its standard library.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"time"
)

var (
	listen      = flag.String("listen", "127.0.0.1:7777", "")
	workers     = flag.Int("workers", runtime.NumCPU(), "")
	count       = flag.Int("count", 1, "")
	outstanding = flag.Int("outstanding", 1, "")
	senders     = flag.Int("senders", 1, "")
	each        = flag.Int("each", 1, "")
	capacity    = flag.Int("capacity", 0, "")
	tasks       = flag.Int("tasks", 1, "")
	leaves      = flag.Int("leaves", 1, "")
)

// metric is one of the figures that a run has found.
type metric struct {
	name  string
	value float64
}

// report prints the line that ./run reads: result proves that the work was done.
func report(result int, metrics ...metric) {
	var line strings.Builder
	fmt.Fprintf(&line, "{\"result\": %d", result)
	for _, it := range metrics {
		fmt.Fprintf(&line, ", %q: %g", it.name, it.value)
	}
	fmt.Println(line.String() + "}")
}

// nsEach is the time since begin for each of count operations.
func nsEach(begin time.Time, count int) metric {
	return metric{"ns", float64(time.Since(begin).Nanoseconds()) / float64(count)}
}

func seconds(name string, begin time.Time) metric {
	return metric{name, time.Since(begin).Seconds()}
}

// status reads a line of /proc/self/status, in bytes.
func status(name string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kib float64
		if _, err := fmt.Sscanf(line, name+": %f kB", &kib); err == nil {
			return kib * 1024
		}
	}
	log.Fatalf("/proc/self/status has no %s", name)
	return 0
}

func peak() metric {
	return metric{"peak_mib", status("VmHWM") / (1 << 20)}
}

// resident is what the process holds: resident pages and page tables.
func resident() float64 {
	return status("VmRSS") + status("VmPTE")
}

// nap is how long the sleeper of this number sleeps: up to a second, spread evenly.
func nap(number int) time.Duration {
	return time.Duration(number*2_654_435_761%1_000_000) * time.Microsecond
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: go-peers WORKLOAD --workers N …")
	}
	if err := flag.CommandLine.Parse(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	runtime.GOMAXPROCS(*workers)
	switch os.Args[1] {
	case "echo":
		log.Fatal(serveEcho())
	case "http":
		log.Fatal(serveHTTP())
	case "ping-pong":
		pingPong()
	case "fan-in":
		fanIn()
	case "mutex":
		mutex()
	case "skynet":
		skynet()
	case "sleepers":
		sleepers()
	case "spawn-join":
		spawnJoin()
	case "yield":
		yields()
	case "parked":
		parked()
	default:
		log.Fatalf("there is no workload '%s' here", os.Args[1])
	}
}
