package main

import "time"

func pingPong() {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for number := range ping {
			pong <- number + 1
		}
		close(pong)
	}()
	begin := time.Now()
	sum := 0
	for number := range *count {
		ping <- number
		sum += <-pong
	}
	took := nsEach(begin, *count)
	close(ping)
	<-pong
	report(sum, took)
}

func fanIn() {
	begin := time.Now()
	messages := make(chan int, *capacity)
	for range *senders {
		go func() {
			for number := range *each {
				messages <- number
			}
		}()
	}
	sum := 0
	for range *senders * *each {
		sum += <-messages
	}
	report(sum, nsEach(begin, *senders**each))
}
