using System;
using System.Threading.Tasks;
class Shop {
    static void Pay() { throw new InvalidOperationException("card refused"); }
    static void Order() { try { Pay(); } catch (Exception e) { throw new ApplicationException("order 7 failed", e); } }
    static async Task Later() { await Task.Delay(5); Order(); }
    static void Main() {
        Console.Error.WriteLine("2026-01-05 10:00:00.001 INFO up");
        Console.Error.WriteLine("2026-01-05 10:00:00.002 ERROR it failed");
        try { Order(); } catch (Exception e) { Console.Error.WriteLine(e); }
        Console.Error.WriteLine("2026-01-05 10:00:00.003 INFO on we go");
        try { Later().Wait(); } catch (Exception e) { Console.Error.WriteLine("2026-01-05 10:00:00.004 ERROR later: " + e); }
        Console.Error.WriteLine("2026-01-05 10:00:00.005 INFO last words");
        Order();
    }
}
