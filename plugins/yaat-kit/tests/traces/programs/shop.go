package main

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

type till struct{ open bool }

func (t *till) pay() { fmt.Fprintln(os.Stderr, t.open) }

func order() {
	defer func() {
		if found := recover(); found != nil {
			panic(fmt.Errorf("order 7 failed: %v", found))
		}
	}()
	var t *till
	t.pay()
}

func main() {
	log.Println("up")
	switch os.Args[1] {
	case "panic":
		var wait sync.WaitGroup
		wait.Add(1)
		go func() { wait.Wait() }()
		time.Sleep(20 * time.Millisecond)
		order()
	case "error":
		panic(errors.New("two\nlines"))
	case "log":
		log.Printf("ERROR it failed\n%s", debug.Stack())
		log.Println("on we go")
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("in a handler") }))
		http.Get(server.URL)
		server.Close()
		log.Println("and on")
	case "map":
		shared := map[int]int{}
		for i := 0; i < 4; i++ {
			go func() {
				for {
					shared[1]++
				}
			}()
		}
		time.Sleep(5 * time.Second)
	}
}
