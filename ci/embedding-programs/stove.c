/* A C program around the library pot. Linked with it, or, given a path, loads it from there. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef long boil(long);
typedef void overflow(void);

static boil *do_boil;

static void *in_a_thread(void *argument)
{
    (void)argument;
    return (void *)(do_boil(1000) == 499500L ? 0L : 1L);
}

static void use(boil *pot_boil)
{
    pthread_t threads[4];
    void *failed;

    do_boil = pot_boil;
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, in_a_thread, NULL) != 0)
            exit(2);
    if (in_a_thread(NULL) != NULL)
        exit(3);
    for (int i = 0; i < 4; i++)
        if (pthread_join(threads[i], &failed) != 0 || failed != NULL)
            exit(4);
}

#ifdef LINKED
extern boil pot_boil;
extern overflow pot_overflow;

int main(int count, char **arguments)
{
    (void)arguments;
    use(pot_boil);
    puts("boiled");
    fflush(stdout);
    if (count > 1)
        pot_overflow();
    return 0;
}
#else
/* A thread that was there before the library. */
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

static void *older_thread(void *argument)
{
    pthread_mutex_lock(&loading);
    return in_a_thread(argument);
}

int main(int count, char **arguments)
{
    pthread_t older;
    void *failed;

    if (count < 2)
        return 5;
    pthread_mutex_lock(&loading);
    if (pthread_create(&older, NULL, older_thread, NULL) != 0)
        return 6;
    for (int round = 0; round < 3; round++) {
        void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 7;
        }
        use((boil *)dlsym(library, "pot_boil"));
        if (round == 0) {
            pthread_mutex_unlock(&loading);
            if (pthread_join(older, &failed) != 0 || failed != NULL)
                return 8;
        }
        if (round == 2 && count > 2)
            ((overflow *)dlsym(library, "pot_overflow"))();
        dlclose(library);
    }
    puts("boiled");
    return 0;
}
#endif
