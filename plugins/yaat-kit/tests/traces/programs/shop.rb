require "logger"
log = Logger.new($stderr)
def pay = raise(ArgumentError, "card refused")
def order
  pay
rescue ArgumentError
  raise "order 7 failed\nits second line"
end
log.info("up")
begin
  order
rescue => error
  log.error(error)
end
log.info("on we go")
warn [1].first.full_message(highlight: false) rescue log.error("no message")
begin
  nil.foo
rescue => error
  log.error("#{error.message}\n#{error.backtrace.join("\n")}")
  warn error.full_message(highlight: false, order: :top)
end
log.info("last words")
order
