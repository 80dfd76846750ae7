package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func mutex() {
	begin := time.Now()
	var lock sync.Mutex
	var all sync.WaitGroup
	counter := 0
	for range *tasks {
		all.Add(1)
		go func() {
			defer all.Done()
			for range *each {
				lock.Lock()
				counter++
				lock.Unlock()
			}
		}()
	}
	all.Wait()
	report(counter, nsEach(begin, *tasks**each))
}

// node is a place in the tree whose leaves are numbered from first: each node has ten children until there are enough
// leaves, and the sum of their numbers comes back up.
func node(first, leaves int, parent chan<- int) {
	if leaves == 1 {
		parent <- first
		return
	}
	part := leaves / 10
	children := make(chan int, 10)
	for child := range 10 {
		go node(first+child*part, part, children)
	}
	sum := 0
	for range 10 {
		sum += <-children
	}
	parent <- sum
}

func skynet() {
	begin := time.Now()
	root := make(chan int)
	go node(0, *leaves, root)
	sum := <-root
	report(sum, seconds("seconds", begin), peak())
}

func sleepers() {
	begin := time.Now()
	var all sync.WaitGroup
	var longEnough atomic.Int64
	for number := range *count {
		all.Add(1)
		go func() {
			defer all.Done()
			nap, begin := nap(number), time.Now()
			time.Sleep(nap)
			if time.Since(begin) >= nap {
				longEnough.Add(1)
			}
		}()
	}
	all.Wait()
	report(int(longEnough.Load()), seconds("seconds", begin), peak())
}

// spawnJoin returns each value through a channel, as a goroutine has no other way: of its own where one is
// outstanding at a time, and one for all of a batch.
func spawnJoin() {
	begin := time.Now()
	sum := 0
	for first := 0; first < *count; first += *outstanding {
		values := make(chan int, *outstanding)
		end := min(first+*outstanding, *count)
		for number := first; number < end; number++ {
			go func() { values <- number }()
		}
		for range end - first {
			sum += <-values
		}
	}
	report(sum, nsEach(begin, *count))
}

// yields has goroutines that only make way for each other. The clock starts when all have begun, which they do because the
// others yield.
func yields() {
	var begun atomic.Int64
	var once sync.Once
	var begin time.Time
	values := make(chan int, *tasks)
	for range *tasks {
		go func() {
			begun.Add(1)
			for begun.Load() < int64(*tasks) {
				runtime.Gosched()
			}
			once.Do(func() { begin = time.Now() })
			yielded := 0
			for yielded < *each {
				runtime.Gosched()
				yielded++
			}
			values <- yielded
		}()
	}
	sum := 0
	for range *tasks {
		sum += <-values
	}
	report(sum, nsEach(begin, sum))
}

// parked has many goroutines wait until each is woken by itself.
func parked() {
	before := resident()
	begin := time.Now()
	var waiting atomic.Int64
	var sum atomic.Int64
	var all sync.WaitGroup
	wakers := make([]chan int, *count)
	for number := range *count {
		wakers[number] = make(chan int, 1)
		woken := wakers[number]
		all.Add(1)
		go func() {
			defer all.Done()
			waiting.Add(1)
			sum.Add(int64(<-woken + number))
		}()
	}
	for waiting.Load() < int64(*count) {
		runtime.Gosched()
	}
	spawned := seconds("spawn_seconds", begin)
	bytes := metric{"bytes", (resident() - before) / float64(*count)}

	begin = time.Now()
	for _, waker := range wakers {
		waker <- 1
	}
	all.Wait()
	report(int(sum.Load()), spawned, seconds("wake_seconds", begin), bytes)
}
