package jitter_test
import ("testing";"fmt";"time";"github.com/entrenous/entrenous/media/jitter")
func TestZZ(t *testing.T){
 b:=jitter.New(&tape{},jitter.Config{}); var p jitter.Stats
 run(t,b,mobile(1),label,0,func(now time.Duration,_ []float32){ s:=b.Stats()
  if s.ConcealedSamples>p.ConcealedSamples || s.InsertedSamplesForDeceleration>p.InsertedSamplesForDeceleration|| s.RemovedSamplesForAcceleration>p.RemovedSamplesForAcceleration{
   fmt.Println(now,"conc",(s.ConcealedSamples-p.ConcealedSamples)/48,"ins",(s.InsertedSamplesForDeceleration-p.InsertedSamplesForDeceleration)/48,"rm",(s.RemovedSamplesForAcceleration-p.RemovedSamplesForAcceleration)/48,"aim",s.Target,"lost",s.PacketsLost-p.PacketsLost, "delay",(s.JitterBufferDelay-p.JitterBufferDelay)/time.Duration(1+s.JitterBufferEmittedCount-p.JitterBufferEmittedCount))}
  p=s
 })
}
