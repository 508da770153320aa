package main

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// report is what a load found. Times are in milliseconds.
type report struct {
	// Requests that were due in the counted time, answered or not.
	Requests int `json:"requests"`
	// Answers that came, right and whole, of those requests.
	Succeeded int            `json:"succeeded"`
	Errors    map[string]int `json:"errors"`
	// Answers that came whole but were not, byte for byte, the expected one. They count as succeeded here: only who knows
	// the model can say whether they are right (a batch may round differently).
	Variants []variant `json:"variants"`
	// Counted time in seconds: from the end of the warm-up to the end of the load.
	Seconds float64 `json:"seconds"`
	// Right answers a second that came within the counted time.
	Throughput float64 `json:"throughput"`
	Latency    spread  `json:"latency"`
	// Open loop only: how long after it was due the generator itself woke up for a request.
	Lateness spread `json:"lateness"`
	// The generator's own share of one core over the counted time: near 1, it measured itself.
	CPU float64 `json:"cpu"`
}

type spread struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

type variant struct {
	Body  []byte `json:"body"`
	Count int    `json:"count"`
}

// Of one worker; what differs more often is an error.
const maxVariants = 64

// record is what one worker saw; merged at the end, so that workers share nothing meanwhile.
type record struct {
	latencies []time.Duration
	requests  int
	inTime    int
	errors    map[string]int
	variants  map[string]int
}

// schedule is the plan of a load: when it begins, when it counts, when it ends.
type schedule struct {
	begin, count, end time.Time
}

func attack(chosen settings, connect func() exchanger, stop <-chan struct{}) report {
	runtime.GOMAXPROCS(max(3, runtime.NumCPU())) // the pacer and the network poller block a processor each
	plan := schedule{begin: time.Now()}
	plan.count = plan.begin.Add(chosen.warmUp)
	plan.end = plan.count.Add(chosen.duration)
	cpu := make(chan time.Duration, 1)
	time.AfterFunc(time.Until(plan.count), func() { cpu <- processorTime() })
	due, lateness := dispatch(chosen, plan, stop)
	records := make([]record, chosen.connections)
	var working sync.WaitGroup
	for index := range records {
		working.Go(func() { records[index] = work(chosen, plan, connect(), due, stop) })
	}
	var used time.Duration
	ended := plan.end
	measured := make(chan struct{})
	go func() {
		defer close(measured)
		select {
		case <-time.After(time.Until(plan.end)):
		case <-stop:
		}
		if now := time.Now(); now.Before(ended) {
			ended = now
		}
		select {
		case before := <-cpu:
			used = processorTime() - before
		default: // stopped before it counted
		}
	}()
	working.Wait()
	<-measured
	plan.end = ended
	return sumUp(records, plan, used, <-lateness)
}

// dispatch wakes up for each request of an open loop and hands out when it was due. Requests that no connection is free
// for wait in the channel, and their time runs. For a closed loop the channel is nil.
func dispatch(chosen settings, plan schedule, stop <-chan struct{}) (<-chan time.Time, <-chan []time.Duration) {
	lateness := make(chan []time.Duration, 1)
	if chosen.rate == 0 {
		lateness <- nil
		return nil, lateness
	}
	total := int(plan.end.Sub(plan.begin).Seconds() * chosen.rate)
	due := make(chan time.Time, total+1)
	go func() {
		defer close(due)
		late := make([]time.Duration, 0, total)
		defer func() { lateness <- late }()
		runtime.LockOSThread()
		// Linux may wake a sleeper 50 µs late to save power; 1 ns asks it not to. Go's own timers round to 1 ms.
		const setTimerSlack = 29
		syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
		for index := range total {
			at := plan.begin.Add(time.Duration(float64(index) / chosen.rate * float64(time.Second)))
			sleepUntil(at)
			select {
			case <-stop:
				return
			default:
			}
			if !at.Before(plan.count) {
				late = append(late, time.Since(at))
			}
			due <- at
		}
	}()
	return due, lateness
}

func sleepUntil(at time.Time) {
	for {
		left := time.Until(at)
		if left <= 0 {
			return
		}
		// Short enough to hear of a stop, in the kernel's own clock.
		pause := syscall.NsecToTimespec(int64(min(left, 100*time.Millisecond)))
		syscall.Syscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
	}
}

func work(chosen settings, plan schedule, connection exchanger, due <-chan time.Time, stop <-chan struct{}) record {
	defer connection.close()
	seen := record{errors: map[string]int{}, variants: map[string]int{}}
	for {
		at, more := next(plan, due, stop)
		if !more {
			return seen
		}
		answer, err := connection.exchange(time.Now().Add(chosen.timeout))
		done := time.Now()
		if err != nil && due == nil {
			// A closed loop on a server that refuses at once would otherwise only measure the refusals.
			time.Sleep(time.Millisecond)
		}
		if at.Before(plan.count) {
			continue
		}
		seen.requests++
		if err == nil && chosen.expected != nil && !bytes.Equal(answer, chosen.expected) {
			err = seen.note(answer)
		}
		if err != nil {
			seen.errors[err.Error()]++
			continue
		}
		seen.latencies = append(seen.latencies, done.Sub(at))
		if !done.After(plan.end) {
			seen.inTime++
		}
	}
}

var errVariants = errors.New("too many different answers")

// note keeps an answer that differs from the expected one.
func (seen *record) note(answer []byte) error {
	if _, known := seen.variants[string(answer)]; !known && len(seen.variants) == maxVariants {
		return errVariants
	}
	seen.variants[string(answer)]++
	return nil
}

// next waits for the moment that a request is due: now in a closed loop, when the dispatcher says so in an open one.
func next(plan schedule, due <-chan time.Time, stop <-chan struct{}) (time.Time, bool) {
	if due != nil {
		at, more := <-due
		return at, more
	}
	select {
	case <-stop:
		return time.Time{}, false
	default:
		now := time.Now()
		return now, now.Before(plan.end)
	}
}

func sumUp(records []record, plan schedule, used time.Duration, lateness []time.Duration) report {
	sum := report{Errors: map[string]int{}, Variants: []variant{}, Seconds: max(0, plan.end.Sub(plan.count).Seconds())}
	var latencies []time.Duration
	variants := map[string]int{}
	inTime := 0
	for _, one := range records {
		sum.Requests += one.requests
		sum.Succeeded += len(one.latencies)
		inTime += one.inTime
		latencies = append(latencies, one.latencies...)
		for text, count := range one.errors {
			sum.Errors[text] += count
		}
		for body, count := range one.variants {
			variants[body] += count
		}
	}
	for body, count := range variants {
		sum.Variants = append(sum.Variants, variant{Body: []byte(body), Count: count})
	}
	if sum.Seconds > 0 {
		sum.Throughput = float64(inTime) / sum.Seconds
		sum.CPU = used.Seconds() / sum.Seconds
	}
	sum.Latency = spreadOf(latencies)
	sum.Lateness = spreadOf(lateness)
	return sum
}

// spreadOf gives exact percentiles, by the nearest rank.
func spreadOf(values []time.Duration) spread {
	if len(values) == 0 {
		return spread{}
	}
	slices.Sort(values)
	at := func(share float64) float64 {
		rank := int(share*float64(len(values))+0.999999) - 1
		return float64(values[min(max(rank, 0), len(values)-1)]) / float64(time.Millisecond)
	}
	return spread{P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: at(1)}
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
