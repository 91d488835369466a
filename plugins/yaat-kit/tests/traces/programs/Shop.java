import java.util.concurrent.*;
import java.util.logging.*;

public class Shop {
    static void pay() { throw new IllegalStateException("card refused"); }
    static void order() {
        try { pay(); } catch (IllegalStateException e) { throw new RuntimeException("order 7 failed\nits second line", e); }
    }
    static class Door implements AutoCloseable {
        public void close() { throw new UnsupportedOperationException("the door is stuck"); }
    }
    static void suppressed() throws Exception { try (Door door = new Door()) { order(); } }
    public static void main(String[] args) throws Exception {
        System.err.println("2026-01-05 10:00:00,001 INFO  Shop - up");
        System.err.println("2026-01-05 10:00:00,002 ERROR Shop - it failed");
        try { suppressed(); } catch (Exception e) { e.printStackTrace(); }
        System.err.println("2026-01-05 10:00:00,003 INFO  Shop - on we go");
        Logger.getLogger("shop").log(Level.SEVERE, "by the logger", new ExecutionException(new java.io.IOException("no disk")));
        Exception circle = new Exception("circle"); circle.initCause(new Exception("of circles", circle));
        circle.printStackTrace();
        System.err.println("2026-01-05 10:00:00,004 INFO  Shop - now in a pool");
        try { Executors.newSingleThreadExecutor(r -> { Thread t = new Thread(r); t.setDaemon(true); return t; }).submit(() -> { order(); return 1; }).get(); }
        catch (ExecutionException e) { e.printStackTrace(); }
        System.err.println("2026-01-05 10:00:00,005 INFO  Shop - last words");
        order();
    }
}
